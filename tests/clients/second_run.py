"""Runs a test whose subject is a time (marker `clock`) again when it failed, and says that it did.

A machine that stands still for a moment is no fault of the gateway. Only what the test itself finds
is tried again: not what a fixture says of the gateway before or after it. What the module's tests
share stays; a test of that kind makes the state it begins with. (pytest-rerunfailures 10.2 forgets
what is to be taken down: servers of a session survived the tests.)
"""
import time

from _pytest.runner import call_and_report

RUNS = 3
PAUSE = 1


def pytest_configure(config):
    config.addinivalue_line("markers", "clock: what it asserts is a time: on a machine that stalls "
                            f"it is run again, up to {RUNS} times in all")


def pytest_runtest_protocol(item, nextitem):
    if not item.get_closest_marker("clock"):
        return None
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    for run in range(1, RUNS + 1):
        if not once(item, nextitem, run == RUNS):
            break
        time.sleep(PAUSE)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


def once(item, nextitem, last):
    """What pytest's runtestprotocol() does; whether it failed in a way that is tried again."""
    if not item._request:
        item._initrequest()
    reports = [call_and_report(item, "setup", log=False)]
    if reports[0].passed:
        reports.append(call_and_report(item, "call", log=False))
    again = reports[-1].when == "call" and reports[-1].failed and not last
    # To run it again is as if another test of its module came next.
    reports.append(call_and_report(item, "teardown", log=False,
                                   nextitem=item.parent if again else nextitem))
    if again and reports[-1].failed:
        again = False
        item.session._setupstate.teardown_exact(nextitem)
    elif again:
        reports[1:] = reports[1:2]
        reports[1].outcome = "rerun"
        # To JUnit's file, where tests/run finds it.
        item.user_properties.append(("run_again", reason(reports[1])))
    for report in reports:
        item.ihook.pytest_runtest_logreport(report=report)
    item._request = False
    item.funcargs = None
    return again


def reason(report):
    crash = getattr(report.longrepr, "reprcrash", None)
    return (crash.message if crash else str(report.longrepr)).splitlines()[0][:200]


def pytest_report_teststatus(report):
    return ("rerun", "R", "RERUN") if report.outcome == "rerun" else None


def pytest_terminal_summary(terminalreporter):
    for report in terminalreporter.stats.get("rerun", []):
        terminalreporter.write_line(f"run again: {report.nodeid}: {reason(report)}")
