// drivers/sqlite/run.cpp: what a worker thread does with a statement, without the mutex.
#include <sqlite3.h>

#include "drivers/sqlite/core.hpp"
#include "drivers/sqlite/errors.hpp"

namespace sluice::sqlite {
namespace {

sql_error stopped_error(stop_cause cause)
{
    switch (cause) {
        case stop_cause::timed_out:
            return make_error("57014", "canceling statement due to statement timeout");
        case stop_cause::shut_down:
            return make_error("57P01", "the gateway is shutting down");
        case stop_cause::unfetched:
            return make_error("57014", "the rest of the result was not fetched in time");
        case stop_cause::snapshot_too_old:
            return snapshot_too_old();
        default:
            return make_error("57014", "canceling statement due to user request");
    }
}

}  // namespace

// Compiles the job's SQL for `p`. False: the job has its error.
bool engine::prepare_on(session_state& s, handle& on, portal& p)
{
    on.control = &s.control;
    on.asking = &s.asking;
    sql_error why;
    p.on = &on;
    p.statement = on.take(s.current.with.sql, why);
    if (p.statement)
        return true;
    s.current.result.error = std::move(why);
    return false;
}

void engine::run_statement(session_state& s, portal& p)
{
    job& now = s.current;
    auto& out = now.result;
    out.statement = p.statement->info;
    p.sink = std::move(now.with.sink);
    p.parameters = std::move(now.with.parameters);
    p.write = !p.statement->info->read_only;
    sql_error why;
    if (!bind_parameters(*p.statement, p.parameters, why))
        return fail_statement(s, p, std::move(why));
    // Rows may be sent before the statement ends: what they stand on must be safe by then.
    if (p.on == writer_.get() && p.statement->info->returns_rows())
        make_durable();
    if (p.write) {
        sqlite3_set_last_insert_rowid(p.on->db(), 0);
        p.changes_before = sqlite3_total_changes64(p.on->db());
        p.on->count_rows(now.with.count_rows);
    }
    step(s, p);
}

void engine::step(session_state& s, portal& p)
{
    auto& out = s.current.result;
    p.on->control = &s.control;
    p.on->asking = &s.asking;
    if (const auto cause = s.control.cause.load(); cause != stop_cause::none) {
        undo(p);
        return fail_statement(s, p, stopped_error(cause));
    }
    p.on->guarded.refusal = nullptr;
    auto* raw = p.statement->raw;
    for (;;) {
        const int code = sqlite3_step(raw);
        if (!p.started && (code == SQLITE_ROW || code == SQLITE_DONE)) {
            p.started = true;
            // The schema may have changed since it was compiled.
            if (info_is_stale(*p.statement))
                read_info(p.on->db(), *p.statement);
            out.statement = p.statement->info;
            if (p.sink && p.statement->info->returns_rows())
                p.sink->on_columns(*p.statement->info);
        }
        if (code == SQLITE_DONE)
            return finish_statement(s, p);
        if (code != SQLITE_ROW) {
            auto why = error_of(p.on->db(), *p.statement->sql);
            p.on->explain_refusal(why);
            p.on->name_constraint(why);
            const auto cause = s.control.cause.load();
            if ((code & 0xff) == SQLITE_INTERRUPT && cause != stop_cause::none)
                why = stopped_error(cause);
            if (cause == stop_cause::timed_out && s.control.of_session)
                why.limit = ended_by::run;
            return fail_statement(s, p, std::move(why));
        }
        ++out.rows;
        const row_view row(raw, *p.statement->info);
        const auto verdict = p.sink ? p.sink->on_row(row) : row_sink::verdict::go_on;
        if (verdict == row_sink::verdict::stop) {
            auto why = p.sink->failure();
            undo(p);
            return fail_statement(s, p, std::move(why));
        }
        if (verdict == row_sink::verdict::pause)
            out.suspended = suspension::paused;
        if (s.current.with.max_rows > 0 && out.rows >= s.current.with.max_rows)
            out.suspended = suspension::row_limit;
        if (out.suspended != suspension::none)
            return;  // the caller keeps the portal
    }
}

void engine::finish_statement(session_state& s, portal& p)
{
    auto& out = s.current.result;
    out.statement = p.statement->info;
    if (p.write) {
        auto* db = p.on->db();
        if (sqlite3_total_changes64(db) != p.changes_before)
            out.changes = sqlite3_changes64(db);
        out.updated = p.on->rows().updated();
        out.unchanged = p.on->rows().unchanged();
        out.removed = p.on->rows().removed();
        out.last_insert_rowid = sqlite3_last_insert_rowid(db);
        if (out.last_insert_rowid != 0)
            s.asking.last_insert_rowid = out.last_insert_rowid;
        s.asking.changes = out.changes;
    }
    sql_error why;
    if (!settle(p, &why))
        out.error = std::move(why);
}

void engine::fail_statement(session_state& s, portal& p, sql_error why)
{
    const bool of_transaction = p.on == s.transaction.on;
    auto* on = p.on;
    settle(p, nullptr);
    if (of_transaction && s.transaction.status == transaction_status::open && !on->in_transaction())
        note_lost(s, why);
    s.current.result.error = std::move(why);
}

// Takes back an unfinished write. A plain reset would commit it; an interrupted step rolls back
// (all of an explicit transaction, so there the client's own ROLLBACK has to do).
void engine::undo(portal& p) noexcept
{
    if (!p.write || !p.started || p.on->in_transaction())
        return;
    sqlite3_interrupt(p.on->db());
    sqlite3_step(p.statement->raw);
}

// Ends the statement and gives it back to its handle. False: ending it failed (a commit).
bool engine::settle(portal& p, sql_error* why) noexcept
{
    bool good = true;
    if (p.statement && p.on) {
        const int code = sqlite3_reset(p.statement->raw);
        if (code != SQLITE_OK && why) {
            *why = error_of(p.on->db(), *p.statement->sql);
            good = false;
        }
        p.on->give_back(std::move(p.statement));
    }
    p.sink.reset();
    p.parameters.clear();
    if (p.on) {
        p.on->count_rows(false);
        p.on->control = nullptr;
        p.on->asking = nullptr;
    }
    if (p.own)
        put_handle(std::move(p.own));
    p.on = nullptr;
    return good;
}

bool engine::establish_savepoints(session_state& s)
{
    auto& t = s.transaction;
    for (auto& mark : t.savepoints) {
        if (mark.established)
            continue;
        if (!t.on->run(("SAVEPOINT s" + std::to_string(mark.number)).c_str())) {
            s.current.result.error = error_of(t.on->db(), {});
            return false;
        }
        mark.established = true;
    }
    return true;
}

void engine::note_lost(session_state& s, const sql_error& cause)
{
    auto& t = s.transaction;
    release_all(s);
    t.status = transaction_status::lost;
    t.lost = make_error("25P02",
                        "the transaction was rolled back: " + cause.message,
                        "ROLLBACK, then run the transaction again");
}

// Suspended results, handles and the transaction itself; what is open is rolled back.
void engine::release_all(session_state& s) noexcept
{
    for (auto& [id, p] : s.portals) {
        if (!p.gone && p.writer_lease)
            undo(p);
        settle(p, nullptr);
    }
    s.portals.clear();
    auto& t = s.transaction;
    if (t.on && t.on->in_transaction())
        t.on->run("ROLLBACK");
    t.on = nullptr;
    t.savepoints.clear();
    if (t.own) {
        t.own->set_query_only(true);
        put_handle(std::move(t.own));
    }
}

void engine::end_transaction(session_state& s, bool commit)
{
    auto& t = s.transaction;
    auto& out = s.current.result;
    for (auto& [id, p] : s.portals) {
        sql_error why;
        if (!p.gone && p.writer_lease && !commit)
            undo(p);
        if (!settle(p, &why) && p.writer_lease && commit)
            out.error = std::move(why);
    }
    s.portals.clear();
    if (commit && t.on && !t.on->run("COMMIT")) {
        out.error = error_of(t.on->db(), {});
        if ((out.error->extended_code & 0xff) == SQLITE_IOERR) {
            out.error->sqlstate = "08007";
            out.error->hint =
                "whether the transaction was committed is unknown: look before "
                "running it again";
        }
    }
    release_all(s);
    t = {};
}

void engine::change_savepoint(session_state& s)
{
    auto& t = s.transaction;
    const auto& name = *s.current.with.sql;
    auto mark = t.savepoints.size();
    while (mark > 0 && t.savepoints[mark - 1].name != name)
        --mark;
    if (mark == 0)
        return;  // answer_at_once() has looked
    const bool release = s.current.what == session::verb::release;
    const std::string verb = release ? "RELEASE s" : "ROLLBACK TO s";
    if (!t.on->run((verb + std::to_string(t.savepoints[mark - 1].number)).c_str())) {
        s.current.result.error = error_of(t.on->db(), {});
        if (!t.on->in_transaction())
            note_lost(s, *s.current.result.error);
        return;
    }
    t.savepoints.resize(release ? mark - 1 : mark);
}

void engine::keep_portal(session_state& s, portal&& p)
{
    auto& out = s.current.result;
    if (s.portals.size() >= static_cast<std::size_t>(options_.max_portals)) {
        undo(p);
        out.suspended = suspension::none;
        return fail_statement(s,
                              p,
                              make_error("53400",
                                         "too many unfinished results "
                                         "(max_portals = " +
                                             std::to_string(options_.max_portals) + ")"));
    }
    p.suspended_at = clock::now();
    out.portal = ++s.last_portal;
    s.portals.emplace(out.portal, std::move(p));
}

void engine::run_resume(session_state& s)
{
    auto& p = s.portals.at(s.current.id);
    s.current.result.statement = p.statement->info;
    step(s, p);
    if (s.current.result.suspended == suspension::none)
        s.portals.erase(s.current.id);
    else {
        p.suspended_at = clock::now();
        s.current.result.portal = s.current.id;
    }
}

void engine::run_close(session_state& s)
{
    const auto found = s.portals.find(s.current.id);
    if (found == s.portals.end())
        return;
    sql_error why;
    const bool write = found->second.write;
    if (!settle(found->second, &why) && write)
        s.current.result.error = std::move(why);
    s.portals.erase(found);
}

// Everything that stands on the transaction's own handle, on whichever thread.
void engine::run_in_transaction(session_state& s, bool may_write)
{
    using verb = session::verb;
    auto& t = s.transaction;
    switch (s.current.what) {
        case verb::resume:
            return run_resume(s);
        case verb::close:
            return run_close(s);
        case verb::commit:
            return end_transaction(s, true);
        case verb::rollback:
            return end_transaction(s, false);
        case verb::release:
        case verb::rollback_to:
            return change_savepoint(s);
        case verb::describe:
        case verb::execute: {
            portal p;
            if (!prepare_on(s, *t.on, p))
                return;
            if (s.current.what == verb::describe) {
                t.on->explain(*p.statement);
                s.current.result.statement = p.statement->info;
                settle(p, nullptr);
                return;
            }
            if (!p.statement->info->read_only && (t.how.read_only || s.current.with.read_only))
                return fail_statement(s,
                                      p,
                                      make_error("25006",
                                                 "cannot execute a statement that "
                                                 "writes in a read-only transaction"));
            if (!p.statement->info->read_only && !may_write) {
                s.needs_lease = true;
                settle(p, nullptr);
                return;
            }
            if (!establish_savepoints(s)) {
                settle(p, nullptr);
                return;
            }
            run_statement(s, p);
            if (s.current.result.suspended != suspension::none)
                keep_portal(s, std::move(p));
            return;
        }
        default:
            return;
    }
}

}  // namespace sluice::sqlite
