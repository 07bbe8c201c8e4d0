-- The content of a session that has not expired; every request reads one.
-- Indexes: django_session_session_key_c0390e0f_like
SELECT session_data
FROM django_session
WHERE session_key = %(key)s AND expire_date > %(now)s
