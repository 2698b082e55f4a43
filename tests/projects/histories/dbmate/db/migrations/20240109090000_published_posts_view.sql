-- migrate:up
CREATE VIEW published_posts AS
  SELECT p.id, p.title, p.slug, u.name AS author FROM posts p JOIN users u ON u.id = p.user_id WHERE p.status = 'published';

-- migrate:down
DROP VIEW published_posts;
