// drivers/sqlite/submit.cpp: the loop's side: sessions, and which queue an operation goes to.
#include <algorithm>
#include <cctype>

#include "drivers/sqlite/core.hpp"
#include "drivers/sqlite/errors.hpp"

namespace sluice::sqlite {

using verb = session::verb;

session::session(database& on, session_context who, asio::any_io_executor executor)
    : state_(std::make_shared<session_state>())
{
    state_->on = on.engine_;
    state_->loop = state_->on->loop_of(executor);
    state_->asking.context = std::make_shared<const session_context>(std::move(who));
}

session::session(session&&) noexcept = default;

session::~session()
{
    if (state_)
        state_->on->detach(state_);
}

void session::set_context(session_context who)
{
    state_->on->set_context(*state_, std::move(who));
}
void session::set_limits(session_limits limits) noexcept
{
    state_->run_limit = limits.run.count();
    state_->idle_limit = limits.idle ? limits.idle->count() : -1;
}
transaction_status session::status() const
{
    return state_->on->status(*state_);
}
bool session::may_write() const
{
    return state_->on->holds_lease(*state_);
}

void session::cancel()
{
    state_->on->cancel(*state_);
}

const asio::any_io_executor& session::executor_of(const session_state& state) noexcept
{
    return state.loop->loop();
}

void session::submit(const std::shared_ptr<session_state>& state,
                     verb what,
                     request&& with,
                     portal_id portal,
                     transaction_options how,
                     std::unique_ptr<completion> done)
{
    job next;
    next.what = what;
    next.with = std::move(with);
    next.id = portal;
    next.how = how;
    next.done = std::move(done);
    if (what == verb::execute && next.with.sql)
        next.kind = kind_of(*next.with.sql);
    state->on->submit(state, std::move(next));
}

std::optional<outcome> session::execute_now(request& what)
{
    auto& s = *state_;
    auto& on = *s.on;
    if (!s.free || on.with().inline_steps <= 0 || !on.serves() || !what.sql || what.sql->empty())
        return std::nullopt;
    return s.loop->execute(on, s, what);
}

std::optional<outcome> session::describe_now(const sql_text& sql)
{
    auto& s = *state_;
    auto& on = *s.on;
    if (!s.free || on.with().inline_steps <= 0 || !on.serves() || !sql || sql->empty())
        return std::nullopt;
    return s.loop->describe(on, s, sql);
}

std::shared_ptr<inline_reader> engine::loop_of(const asio::any_io_executor& executor)
{
    auto* const context = &asio::query(executor, asio::execution::context);
    const std::scoped_lock held(mutex_);
    auto& known = loops_[context];
    if (!known)
        known = std::make_shared<inline_reader>(executor);
    return known;
}

void engine::set_context(session_state& s, session_context who)
{
    auto fresh = std::make_shared<const session_context>(std::move(who));
    const std::scoped_lock held(mutex_);
    if (s.where != place::running)
        s.asking.context = std::move(fresh);
}

transaction_status engine::status(const session_state& s) const
{
    const std::scoped_lock held(mutex_);
    return s.where == place::running ? s.current.result.transaction : s.transaction.status;
}

bool engine::holds_lease(const session_state& s) const
{
    const std::scoped_lock held(mutex_);
    return lease_.get() == &s;
}

void engine::submit(const session_ref& s, job&& wanted)
{
    wanted.queued_at = clock::now();
    lock held(mutex_);
    job& next = s->current;
    if (next.done) {
        held.unlock();
        wanted.result.error = make_error("55000", "the session is busy with another operation");
        std::vector<letter> refused;
        refused.push_back({s->loop->box(), std::move(wanted.done), std::move(wanted.result), {}});
        return deliver(refused);
    }
    next = std::move(wanted);
    s->control.cause = stop_cause::none;
    const auto timeout = next.with.timeout.value_or(options_.statement_timeout);
    next.deadline = timeout.count() > 0 ? next.queued_at + timeout : clock::time_point::max();
    s->control.deadline = next.deadline;
    s->control.of_session = false;
    if (s->where == place::running)
        s->waits_for_borrower = true;
    else
        dispatch(held, s);
}

void engine::dispatch(lock& held, const session_ref& s)
{
    job& next = s->current;
    const bool tied = s->transaction.status != transaction_status::none || !s->portals.empty();
    if (stopped_ || (draining_ && !tied)) {
        next.result.error = make_error("57P01", "the gateway is shutting down");
        return finish(held, s);
    }
    if (answer_at_once(*s))
        return finish(held, s);
    enqueue(held, s);
}

// What needs no file: most of all BEGIN, and COMMIT of a transaction that only read.
bool engine::answer_at_once(session_state& s)
{
    job& next = s.current;
    auto& t = s.transaction;
    const bool inside = t.status != transaction_status::none;
    if (t.status == transaction_status::lost && next.what != verb::rollback &&
        next.what != verb::close) {
        next.result.error = t.lost;
        return true;
    }
    const auto mark = [&] {
        return std::find_if(t.savepoints.rbegin(), t.savepoints.rend(), [&](const auto& m) {
            return m.name == *next.with.sql;
        });
    };
    switch (next.what) {
        case verb::describe:
        case verb::execute:
            if (next.with.sql && !next.with.sql->empty())
                return false;
            next.result.error = make_error("42601", "the statement is empty");
            return true;
        case verb::resume:
        case verb::close: {
            const auto found = s.portals.find(next.id);
            if (found != s.portals.end() && !found->second.gone)
                return false;
            if (next.what == verb::close)
                s.portals.erase(next.id);
            else
                next.result.error =
                    found != s.portals.end()
                        ? *found->second.gone
                        : make_error("34000", "the suspended result does not exist");
            return true;
        }
        case verb::begin:
            if (inside) {
                next.result.error =
                    make_error("25001", "there is already a transaction in progress");
                return true;
            }
            t = {};
            t.how = next.how;
            if (next.how.immediate && !next.how.read_only)
                return false;
            t.status = transaction_status::open;
            return true;
        case verb::commit:
        case verb::rollback:
            if (t.on || !s.portals.empty())
                return false;
            t = {};
            return true;
        case verb::savepoint: {
            constexpr std::size_t savepoints_max = 1000;
            if (!inside)
                next.result.error = make_error("25P01", "there is no transaction in progress");
            else if (t.savepoints.size() >= savepoints_max)
                next.result.error =
                    make_error("54000", "a transaction has at most 1000 savepoints");
            else
                t.savepoints.push_back({*next.with.sql, ++t.last_number, false});
            return true;
        }
        case verb::release:
        case verb::rollback_to: {
            const auto found = mark();
            if (found == t.savepoints.rend()) {
                next.result.error =
                    make_error("3B001", "savepoint \"" + *next.with.sql + "\" does not exist");
                return true;
            }
            if (found->established)
                return false;
            t.savepoints.erase(next.what == verb::release ? std::prev(found.base()) : found.base(),
                               t.savepoints.end());
            return true;
        }
    }
    return false;
}

void engine::enqueue(lock& held, const session_ref& s)
{
    const job& next = s->current;
    const auto& t = s->transaction;
    const auto resumed = s->portals.find(next.id);
    const bool of_portal = next.what == verb::resume || next.what == verb::close;
    const bool on_own_reader = of_portal && resumed->second.own;
    std::deque<session_ref>* queue = &reads_;
    if (lease_ == s && !on_own_reader && !(next.what == verb::describe && !t.on)) {
        s->where = place::lease;
        writer_wake_.notify_one();
        return;
    }
    const bool wants_lease =
        next.what == verb::begin || (next.what == verb::execute && !t.how.read_only &&
                                     !next.with.read_only && next.kind != text_kind::other);
    if (wants_lease) {
        s->where = place::writes;
        queue = &writes_;
    } else if (of_portal || t.own || next.what == verb::commit || next.what == verb::rollback) {
        s->where = place::bound;
        bound_.push_back(s);
        readers_wake_.notify_one();
        return;
    } else {
        s->where = place::reads;
    }
    if (reads_.size() + writes_.size() >= options_.max_queued) {
        s->where = place::idle;
        s->current.result.error =
            make_error("53400",
                       "too many statements wait for this file (max_queued = " +
                           std::to_string(options_.max_queued) + ")",
                       "try again later");
        if (next.what == verb::begin)
            s->transaction = {};
        return finish(held, s);
    }
    queue->push_back(s);
    if (queue == &writes_)
        writer_wake_.notify_one();
    else
        readers_wake_.notify_one();
    if (janitor_sleeps_)
        janitor_wake_.notify_one();
}

void engine::take_from_queue(session_state& s)
{
    const auto drop = [&](std::deque<session_ref>& queue) {
        std::erase_if(queue, [&](const session_ref& q) { return q.get() == &s; });
    };
    if (s.where == place::reads)
        drop(reads_);
    else if (s.where == place::bound)
        drop(bound_);
    else if (s.where == place::writes)
        drop(writes_);
    s.where = place::idle;
}

// `s` has been taken out of its queue.
void engine::fail_queued(lock& held, const session_ref& s, sql_error why)
{
    s->where = place::idle;
    if (s->current.what == verb::begin)
        s->transaction = {};
    s->current.result.error = std::move(why);
    finish(held, s);
    held.lock();
}

void engine::cancel(session_state& s)
{
    lock held(mutex_);
    if (s.where == place::idle)
        return;
    // Ending a transaction is never cut short: it is quick, and half an end helps nobody.
    if (s.current.what == verb::commit || s.current.what == verb::rollback ||
        s.current.what == verb::close)
        return;
    auto none = stop_cause::none;
    s.control.cause.compare_exchange_strong(none, stop_cause::cancelled);
    if (s.where == place::running)
        return;
    take_from_queue(s);
    fail_queued(
        held, s.shared_from_this(), make_error("57014", "canceling statement due to user request"));
}

// Called by the session's destructor. What it leaves is rolled back by the threads.
void engine::detach(const session_ref& s)
{
    lock held(mutex_);
    s->closed = true;
    if (s->where == place::running) {
        auto none = stop_cause::none;
        s->control.cause.compare_exchange_strong(none, stop_cause::cancelled);
        return;
    }
    if (s->where != place::idle) {
        take_from_queue(*s);
        fail_queued(held, s, make_error("57014", "the session was closed"));
    }
    if (lease_ == s)
        writer_wake_.notify_one();
    else if (s->transaction.own || !s->portals.empty())
        janitor_wake_.notify_one();
}

text_kind kind_of(std::string_view sql) noexcept
{
    std::size_t at = 0;
    while (at < sql.size()) {
        if (std::isspace(static_cast<unsigned char>(sql[at])) || sql[at] == '(' || sql[at] == ';') {
            ++at;
        } else if (sql.substr(at, 2) == "--") {
            at = std::min(sql.find('\n', at), sql.size());
        } else if (sql.substr(at, 2) == "/*") {
            const auto end = sql.find("*/", at + 2);
            at = end == std::string_view::npos ? sql.size() : end + 2;
        } else {
            break;
        }
    }
    char word[8];
    std::size_t size = 0;
    for (; at < sql.size() && std::isalpha(static_cast<unsigned char>(sql[at])); ++at) {
        if (size == sizeof word)
            return text_kind::other;
        word[size++] = static_cast<char>(std::toupper(static_cast<unsigned char>(sql[at])));
    }
    const std::string_view first(word, size);
    for (const std::string_view change : {"INSERT", "UPDATE", "DELETE", "REPLACE"}) {
        if (first == change)
            return text_kind::change;
    }
    for (const std::string_view change : {"CREATE", "DROP", "ALTER", "REINDEX", "ANALYZE"}) {
        if (first == change)
            return text_kind::definition;
    }
    return text_kind::other;
}

}  // namespace sluice::sqlite
