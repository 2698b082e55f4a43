SELECT name::text, coalesce(bool_or(trusted), false)
FROM pg_available_extension_versions
GROUP BY name
