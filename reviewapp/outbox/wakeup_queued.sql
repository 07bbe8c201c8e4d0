-- Whether a wake-up of a task is queued and not started.
-- Indexes: procrastinate_jobs_queueing_lock_idx_v1
SELECT EXISTS (
    SELECT FROM procrastinate_jobs WHERE queueing_lock = %(task)s AND status = 'todo'
)
