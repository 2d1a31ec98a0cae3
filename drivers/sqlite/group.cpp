// drivers/sqlite/group.cpp: several clients' autocommit writes in one transaction, one flush.
//
//   BEGIN IMMEDIATE; a's INSERT; b's UPDATE; c's DELETE; COMMIT; then a, b and c are answered
//
// Each must end as it would have alone. A constraint that fails undoes its own statement (SQLite's
// statement journal) and is that client's error; OR FAIL keeps what it kept. Everything by which
// one member could touch another breaks the group: the transaction is rolled back (nobody was told
// anything yet) and all members run again one by one, in their order:
//   OR ROLLBACK, RAISE(ROLLBACK), a cancel or timeout     SQLite has rolled back the transaction
//   a deferred foreign key that is open                   only the member's own commit may judge it
//   a full disk, no memory, an error inside a function    may leave a part of the statement
//   a result that is more than its sink holds back        rows must not be sent before the commit
// An error of COMMIT itself is nobody's: the same.
#include <sqlite3.h>

#include "drivers/sqlite/core.hpp"
#include "drivers/sqlite/errors.hpp"

namespace sluice::sqlite {
namespace {

constexpr std::size_t group_max = 256;
constexpr std::chrono::milliseconds group_for{4};
constexpr std::chrono::milliseconds late_after{1};
constexpr std::chrono::milliseconds slow_after{20};
constexpr std::chrono::seconds slow_for{10};
constexpr std::chrono::seconds lonely_for{10};

void forget(job& of)
{
    if (of.with.sink) {
        of.with.sink->rewind();
        of.with.sink->hold(false);
    }
    of.result = {};
}

}  // namespace

using verb = session::verb;

bool engine::may_group(const session_state& s) const noexcept
{
    const auto& now = s.current;
    return options_.group_commit && !options_.read_only && now.what == verb::execute &&
           now.kind == text_kind::change && !now.alone && now.with.max_rows == 0 &&
           s.transaction.status == transaction_status::none && s.portals.empty() &&
           (!now.with.sink || now.with.sink->can_rewind()) && !lonely_.marked(*now.with.sql) &&
           !slow_.marked(*now.with.sql);
}

void engine::run_group(lock& held)
{
    std::vector<session_ref> members;
    while (!writes_.empty() && members.size() < group_max && may_group(*writes_.front())) {
        members.push_back(std::move(writes_.front()));
        writes_.pop_front();
        start_running(members.back());
    }
    std::size_t ran = members.size();
    bool broken = false;
    sql_error why;
    bool begun = open_writer(held, why);
    held.unlock();
    if (begun) {
        defer_flushes(false);
        begun = writer_->run("BEGIN IMMEDIATE");
        if (!begun)
            why = error_of(writer_->db(), {});
    }
    if (begun) {
        ran = run_members(members, broken);
        if (!broken)
            broken = !commit_group(members);
        if (writer_->in_transaction())
            writer_->run("ROLLBACK");
    }
    if (!begun) {
        for (const auto& s : members)
            s->current.result.error = why;
    }
    if (broken)
        ran = 0;
    held.lock();
    for (auto i = members.size(); i > ran; --i) {
        const auto& s = members[i - 1];
        if (broken)
            forget(s->current);
        s->current.alone = broken;
        running_.erase(s);
        --counted_.statements;
        s->where = place::writes;
        writes_.push_front(s);
    }
    counted_.groups += broken ? 0 : 1;
    counted_.regrouped += broken ? 1 : 0;
    counted_.grouped += ran;
    end_group(held, members, ran);
}

// Tells the first `ran` members, and whoever waited for a flush: this commit's was theirs too.
void engine::end_group(lock& held, const std::vector<session_ref>& members, std::size_t ran)
{
    std::vector<letter> over;
    if (writer_ && writer_->wal_frames > 0) {
        log_frames_ = std::exchange(writer_->wal_frames, 0);
        log_grew_ = true;
        count_synced(*writer_);
        // Its flush was everybody's.
        if (options_.durable == durability::full && !log_suspect_) {
            raise_durable(completed_);
            for (const auto& s : std::exchange(unflushed_, {}))
                conclude(s, over);
        }
    }
    if (writer_)
        counted_.prepared += std::exchange(writer_->compiled, 0);
    published_.fetch_add(1);
    bool unsound = false;
    for (std::size_t i = 0; i < ran; ++i) {
        auto& now = members[i]->current;
        if (now.with.sink)
            now.with.sink->hold(false);
        const auto& error = now.result.error;
        unsound = unsound || (error && (error->extended_code & 0xff) == SQLITE_IOERR);
        conclude(members[i], over);
    }
    held.unlock();
    deliver(over);
    held.lock();
    if (unsound) {
        close_writer(held);
        held.lock();
    }
    checkpoint_if_due(held);
}

// How many ran; those behind them wait for the next group.
std::size_t engine::run_members(const std::vector<session_ref>& members, bool& broken)
{
    const auto begin = clock::now();
    auto last = begin;
    for (std::size_t i = 0; i < members.size(); ++i) {
        auto& s = *members[i];
        const auto rowid = s.asking.last_insert_rowid;
        const auto changes = s.asking.changes;
        broken = !run_member(s);
        const auto now = clock::now();
        if (keeps_others_waiting(now - last))
            slow_.mark(*s.current.with.sql, slow_for);
        last = now;
        if (broken) {
            s.asking.last_insert_rowid = rowid;
            s.asking.changes = changes;
            lonely_.mark(*s.current.with.sql, lonely_for);
            return i + 1;
        }
        if (now - begin > group_for)
            return i + 1;
    }
    return members.size();
}

// One late member may be the scheduler's doing; many, or a very late one, are the statement's.
bool engine::keeps_others_waiting(clock::duration took) noexcept
{
    constexpr int strike = 8;
    constexpr int strikes_max = 4 * strike;
    if (took > slow_after)
        return true;
    if (took > late_after)
        late_members_ += strike;
    else if (late_members_ > 0)
        --late_members_;
    if (late_members_ <= strikes_max)
        return false;
    late_members_ = strikes_max / 2;
    return true;
}

// False: the group cannot go on.
bool engine::run_member(session_state& s)
{
    auto& now = s.current;
    if (s.control.cause.load() != stop_cause::none) {
        now.result.error = make_error("57014", "canceling statement due to user request");
        return true;
    }
    portal p;
    if (!prepare_on(s, *writer_, p))
        return true;
    now.result.statement = p.statement->info;
    sql_error why;
    if (p.statement->info->read_only) {
        settle(p, nullptr);
        return false;
    }
    if (!bind_parameters(*p.statement, now.with.parameters, why)) {
        fail_statement(s, p, std::move(why));
        return true;
    }
    p.write = true;
    p.sink = now.with.sink;
    if (p.sink)
        p.sink->hold(true);
    sqlite3_set_last_insert_rowid(writer_->db(), 0);
    p.changes_before = sqlite3_total_changes64(writer_->db());
    writer_->count_rows(now.with.count_rows);
    step(s, p);
    if (p.statement)  // suspended
        settle(p, nullptr);
    const auto& out = now.result;
    const bool harmless = !out.error || (out.error->extended_code & 0xff) == SQLITE_CONSTRAINT;
    return harmless && out.suspended == suspension::none && writer_->in_transaction() &&
           !writer_->owes_references();
}

// False: it was rolled back, and the members may run one by one.
bool engine::commit_group(const std::vector<session_ref>& members)
{
    if (writer_->run("COMMIT"))
        return true;
    auto why = error_of(writer_->db(), {});
    if ((why.extended_code & 0xff) != SQLITE_IOERR)
        return false;
    auto unknown = unknown_outcome();
    unknown.extended_code = why.extended_code;
    for (const auto& s : members) {
        if (!s->current.result.error)
            s->current.result.error = unknown;
    }
    return true;
}

}  // namespace sluice::sqlite
