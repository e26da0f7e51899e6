"""The worker process and the operator's commands for the queue."""

import asyncio
import logging
from collections.abc import Sequence

import click
import procrastinate
from flask import current_app
from flask.cli import AppGroup
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from marketplace.db import transaction
from marketplace.jobs.periodic import PeriodicJob
from marketplace.jobs.queue import RETRY, queue
from marketplace.jobs.runner import application

log = logging.getLogger(__name__)

# Jobs in the hands of a worker that was killed: it is gone, or has given no sign of life for two minutes.
LOST = text("""
    SELECT job.id, job.task_name, job.attempts
    FROM procrastinate_jobs job LEFT JOIN procrastinate_workers worker ON worker.id = job.worker_id
    WHERE job.status = 'doing' AND (worker.id IS NULL OR worker.last_heartbeat < now() - interval '2 minutes')
    ORDER BY job.id FOR UPDATE OF job SKIP LOCKED
""")
AGAIN = text("SELECT procrastinate_retry_job_v2(:id, now(), NULL, NULL, NULL)")
FINISH = text("SELECT procrastinate_finish_job_v1(:id, 'failed', :forget)")


def register_periodic(jobs: Sequence[PeriodicJob]) -> None:
    """Make each periodic job a task of the queue."""
    for job in jobs:
        if job.name in queue.tasks:
            continue

        def run(timestamp: int, job: PeriodicJob = job) -> None:
            with application():
                job.run()

        task = queue.task(name=job.name, queue="periodic", queueing_lock=job.name)(run)
        queue.periodic(cron=job.cron)(task)


def retry_lost_jobs() -> None:
    """Queue the jobs of killed workers again; one that has been tried often enough is parked for an operator."""
    with transaction() as session:
        for job_id, task_name, attempts in session.execute(LOST).all():
            log.warning("a job was lost with its worker", extra={"job_id": job_id, "task": task_name})
            if attempts + 1 >= (RETRY.max_attempts or 1):
                session.execute(FINISH, {"id": job_id, "forget": False})
                continue
            try:
                with session.begin_nested():
                    session.execute(AGAIN, {"id": job_id})
            except IntegrityError:  # a job of the clock, whose next one waits already
                session.execute(FINISH, {"id": job_id, "forget": True})


@click.command("worker")
@click.option("--concurrency", default=4, show_default=True, help="Jobs at a time.")
def worker_command(concurrency: int) -> None:
    """Run jobs until stopped by SIGINT or SIGTERM."""
    url = current_app.config["DATABASE_URL"].replace("postgresql+psycopg://", "postgresql://", 1)
    connector = procrastinate.PsycopgConnector(conninfo=url, min_size=1, max_size=concurrency + 2)

    async def work() -> None:
        with queue.replace_connector(connector) as app:
            async with app.open_async():
                await app.run_worker_async(
                    concurrency=concurrency, delete_jobs="successful", fetch_job_polling_interval=5.0
                )

    asyncio.run(work())


jobs_group = AppGroup("jobs", help="Look at and retry background jobs.")


@jobs_group.command("failed")
def list_failed() -> None:
    """List jobs that ran out of retries."""
    with transaction() as session:
        rows = session.execute(
            text(
                "SELECT id, task_name, args, attempts FROM procrastinate_jobs WHERE status = 'failed' ORDER BY id"
            )
        )
        for row in rows:
            click.echo(f"{row.id}\t{row.task_name}\t{row.attempts} attempts\t{row.args}")


@jobs_group.command("retry")
@click.argument("job_id", type=int)
def retry_failed(job_id: int) -> None:
    """Put a failed job back in the queue."""
    with transaction() as session:
        found = session.scalar(
            text("SELECT 1 FROM procrastinate_jobs WHERE id = :id AND status = 'failed'"), {"id": job_id}
        )
        if not found:
            raise click.ClickException(f"There is no failed job {job_id}.")
        session.execute(AGAIN, {"id": job_id})
