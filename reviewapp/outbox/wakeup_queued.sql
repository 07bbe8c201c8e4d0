-- Whether a wake-up with this queueing lock is queued and not started.
-- Indexes: procrastinate_jobs_queueing_lock_idx_v1
SELECT EXISTS (
    SELECT FROM procrastinate_jobs WHERE queueing_lock = %(lock)s AND status = 'todo'
)
