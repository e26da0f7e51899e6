"""What a killed worker had in its hands comes back to the queue."""

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from marketplace.jobs.worker import retry_lost_jobs

ADD_JOB = text("""
    INSERT INTO procrastinate_jobs (queue_name, task_name, status, attempts, worker_id, queueing_lock)
    VALUES ('messages', 'deliver', CAST(:status AS procrastinate_job_status), :attempts, :worker, :lock) RETURNING id
""")


@pytest.fixture
def add_job(session: Session, city):
    def add(*, worker=None, attempts=0, status="doing", lock=None):
        values = {"worker": worker, "attempts": attempts, "status": status, "lock": lock}
        return session.scalar(ADD_JOB, values)

    return add


@pytest.fixture
def add_worker(session: Session):
    def add(seconds_ago):
        return session.scalar(
            text(
                "INSERT INTO procrastinate_workers (last_heartbeat)"
                " VALUES (now() - make_interval(secs => :ago)) RETURNING id"
            ),
            {"ago": seconds_ago},
        )

    return add


def states(session: Session) -> dict[int, str]:
    rows = session.execute(text("SELECT id, CAST(status AS text) FROM procrastinate_jobs"))
    return {job_id: status for job_id, status in rows}


def test_jobs_of_dead_workers_are_queued_again(session, add_job, add_worker):
    at_work, silent, orphan = add_job(worker=add_worker(5)), add_job(worker=add_worker(600)), add_job()
    failed = add_job(status="failed")
    session.commit()
    retry_lost_jobs()
    assert states(session) == {at_work: "doing", silent: "todo", orphan: "todo", failed: "failed"}
    retry_lost_jobs()
    assert states(session) == {at_work: "doing", silent: "todo", orphan: "todo", failed: "failed"}


def test_a_job_that_kills_its_worker_each_time_is_parked(session, add_job):
    job = add_job(attempts=7)
    session.commit()
    retry_lost_jobs()
    assert states(session) == {job: "failed"}


def test_a_lost_job_of_the_clock_gives_way_to_the_next_one(session, add_job):
    add_job(lock="forget-old-links")
    waiting = add_job(lock="forget-old-links", status="todo")
    session.commit()
    retry_lost_jobs()
    assert states(session) == {waiting: "todo"}
