-- Types by OID as SQL names them.
SELECT o.oid, format_type(o.oid::oid, NULL) FROM unnest(%(oids)s::int8[]) AS o (oid);
