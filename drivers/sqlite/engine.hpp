// drivers/sqlite/engine.hpp: SQLite files served to event loops by worker threads.
//
//   session (one per client, on its loop) --job--> database (one per file): queue --> threads
//   session                               <-outcome, posted to the loop--------------'
//
// A database has one writer and `readers` reader threads. Reads run on readers, each statement
// with a fresh snapshot. The right to write is a lease handed out first come, first served: an
// autocommit write holds it for one statement, a transaction from its first write to its end.
//
// Layer: drivers. database: any thread. session: one loop thread, cancel() from any.
// Bounds: queues, waits, handles, suspended results: see options.
#pragma once

#include <asio/async_result.hpp>

#include "drivers/sqlite/completion.hpp"

namespace sluice::sqlite {

class engine;          // the inside of a database, shared with its sessions
struct session_state;  // the inside of a session, shared with its jobs

class database {
public:
    // Opens the file and starts the threads. Blocks; for start-up or a helper thread. On failure
    // returns null and says why: no such directory, not a database, locked by a process, ...
    static std::unique_ptr<database> open(const options& with, sql_error& why);

    ~database();  // close(0)
    database(const database&) = delete;
    database& operator=(const database&) = delete;

    // New operations get 57P01 at once; waiting and running ones have `grace` to end, then they are
    // interrupted (57P01) and open transactions rolled back. Checkpoints, closes, joins. Blocks.
    // Sessions may live on; every operation fails.
    void close(std::chrono::milliseconds grace);

    // Another process is about to open the file with options::after_another: from the return on
    // nothing is copied from the log into the file, and both wait for each other's writes. Blocks
    // for as long as a copy is under way. It ends with close(), or with stop_sharing(). False: the
    // process before this one has the file, too, and nothing has changed.
    bool share();
    void stop_sharing();

    // Of all SQLite databases of the process together; 0: no limit. Past it statements fail
    // (53200).
    static void limit_memory(std::int64_t bytes) noexcept;

    bool exclusive() const noexcept;           // see options
    const std::string& path() const noexcept;  // canonical: two names of one file would corrupt it
    statistics stats() const;

private:
    friend class session;
    explicit database(std::shared_ptr<engine> inside) noexcept;
    std::shared_ptr<engine> engine_;
};

// One client's side. At most one operation at a time, except cancel(). An operation completes
// exactly once, on the executor that its token is bound to (else on the session's), never inside
// the call that started it:
//     outcome done = co_await client.execute(std::move(what), asio::use_awaitable);
// The destructor cancels, closes suspended results and rolls back, without waiting.
class session {
public:
    session(database& on, session_context who, asio::any_io_executor executor);
    ~session();
    session(session&&) noexcept;
    session& operator=(session&&) = delete;

    // For operations from now on.
    void set_limits(session_limits limits) noexcept;

    // Between operations only.
    void set_context(session_context who);
    transaction_status status() const;  // as of the last completion, or lost by a timeout since
    bool may_write() const;             // has the writer to itself, to the transaction's end

    // Compiles, runs nothing. Outside a transaction with the lease: on a reader.
    template <class Token>
    auto describe(sql_text sql, Token&& token)
    {
        return start(std::forward<Token>(token), verb::describe, with_text(std::move(sql)));
    }

    // BEGIN, COMMIT, SAVEPOINT and their kin are refused here (0A000): use the calls below.
    template <class Token>
    auto execute(request what, Token&& token)
    {
        return start(std::forward<Token>(token), verb::execute, std::move(what));
    }

    // Goes on with a suspended result; `max_rows` anew. 34000: no such portal.
    template <class Token>
    auto resume(portal_id portal, std::int64_t max_rows, Token&& token)
    {
        request again;
        again.max_rows = max_rows;
        return start(std::forward<Token>(token), verb::resume, std::move(again), portal);
    }

    // Ends a suspended result early. An autocommit write keeps its effect. Unknown: no error.
    template <class Token>
    auto close(portal_id portal, Token&& token)
    {
        return start(std::forward<Token>(token), verb::close, {}, portal);
    }

    // Takes nothing unless `immediate`. 25001 inside a transaction.
    template <class Token>
    auto begin(transaction_options how, Token&& token)
    {
        return start(std::forward<Token>(token), verb::begin, {}, 0, how);
    }

    // Both close the session's suspended results. A failed commit has rolled back.
    template <class Token>
    auto commit(Token&& token)
    {
        return start(std::forward<Token>(token), verb::commit, {});
    }
    template <class Token>
    auto rollback(Token&& token)
    {
        return start(std::forward<Token>(token), verb::rollback, {});
    }

    // Names are compared byte for byte, as PostgreSQL does after folding. 3B001: no such savepoint.
    template <class Token>
    auto savepoint(std::string name, Token&& token)
    {
        return start(std::forward<Token>(token), verb::savepoint, named(std::move(name)));
    }
    template <class Token>
    auto release(std::string name, Token&& token)
    {
        return start(std::forward<Token>(token), verb::release, named(std::move(name)));
    }
    template <class Token>
    auto rollback_to(std::string name, Token&& token)
    {
        return start(std::forward<Token>(token), verb::rollback_to, named(std::move(name)));
    }

    // Runs a read at once, on the calling loop thread, if that is surely quick, and returns its
    // outcome; no completion follows. Null: nothing has happened, call execute() or describe().
    // Between operations only; the sink must be able to rewind.
    std::optional<outcome> execute_now(request& what);
    std::optional<outcome> describe_now(const sql_text& sql);

    // The operation in progress, if any, ends with 57014: at once if it waits, soon if it runs.
    // Its completion comes as usual. From any thread, as long as the session lives.
    void cancel();

    enum class verb {
        describe,
        execute,
        resume,
        close,
        begin,
        commit,
        rollback,
        savepoint,
        release,
        rollback_to,
    };

private:
    template <class Token>
    auto start(
        Token&& token, verb what, request with, portal_id portal = 0, transaction_options how = {})
    {
        return asio::async_initiate<Token, void(outcome)>(
            [](auto handler,
               std::shared_ptr<session_state> state,
               verb v,
               request r,
               portal_id p,
               transaction_options o) {
                using handler_type = decltype(handler);
                auto done = std::make_unique<posted_completion<handler_type>>(std::move(handler),
                                                                              executor_of(*state));
                submit(state, v, std::move(r), p, o, std::move(done));
            },
            token,
            state_,
            what,
            std::move(with),
            portal,
            how);
    }

    static request with_text(sql_text text)
    {
        request only;
        only.sql = std::move(text);
        return only;
    }
    static request named(std::string name)
    {
        return with_text(std::make_shared<const std::string>(std::move(name)));
    }
    static const asio::any_io_executor& executor_of(const session_state& state) noexcept;
    static void submit(const std::shared_ptr<session_state>& state,
                       verb what,
                       request&& with,
                       portal_id portal,
                       transaction_options how,
                       std::unique_ptr<completion> done);

    std::shared_ptr<session_state> state_;
};

}  // namespace sluice::sqlite
