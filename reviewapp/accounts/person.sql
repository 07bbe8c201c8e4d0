-- The person of each request, with the names of the permissions that they have themselves or by
-- their roles. The columns after the first are the fields in `backend.py`, in the same order.
-- Indexes: accounts_user_pkey
SELECT
    ARRAY(
        SELECT type.app_label || '.' || permission.codename
        FROM auth_permission permission
        JOIN django_content_type type ON type.id = permission.content_type_id
        WHERE permission.id IN (
            SELECT given.permission_id
            FROM accounts_user_groups member
            JOIN auth_group_permissions given USING (group_id)
            WHERE member.user_id = person.id
            UNION ALL
            SELECT own.permission_id
            FROM accounts_user_user_permissions own
            WHERE own.user_id = person.id
        )
    ),
    id, password, last_login, is_superuser, username, first_name, last_name, email, is_staff,
    is_active, date_joined, username_key, email_key, pseudonym, theme, single_keys, key_map,
    blur_media, greyscale_media, mute_media, undo_seconds, last_active
FROM accounts_user person
WHERE id = %(pk)s
