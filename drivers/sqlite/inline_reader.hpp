// drivers/sqlite/inline_reader.hpp: reads that run inside an event loop, on a handle of the loop's.
//
//   first read of a loop's turn: snapshot -> read -> read -> ... -> end of the turn: snapshot over
//
// A worker thread costs ten times what a point read does. What is not surely cheap goes there: a
// statement that calls a costly function or reads a virtual table, one that runs out of its budget
// of steps and time (its rows are forgotten, nothing was sent), and every error.
//
// Layer: drivers, private to this folder. One per loop and file, and the loop's mailbox. The mutex
// is for close(), which another thread calls.
#pragma once

#include <set>

#include "drivers/sqlite/completion.hpp"
#include "drivers/sqlite/handle.hpp"

namespace sluice::sqlite {

class engine;
struct session_state;

class inline_reader : public std::enable_shared_from_this<inline_reader> {
public:
    explicit inline_reader(asio::any_io_executor loop);

    const std::shared_ptr<mailbox>& box() const noexcept { return box_; }
    const asio::any_io_executor& loop() const noexcept { return loop_; }

    // Null: not here, ask a worker; `what` is as it was.
    std::optional<outcome> execute(engine& on, session_state& s, request& what);
    std::optional<outcome> describe(engine& on, session_state& s, const sql_text& sql);
    void close() noexcept;

private:
    bool ready(engine& on);
    bool take_snapshot(engine& on);
    void end_snapshot() noexcept;
    std::unique_ptr<prepared> compile(const sql_text& sql);
    bool ordinary_tables();
    bool waits_for_disk() noexcept;
    bool step(prepared& statement, request& what, int steps, outcome& out);

    const asio::any_io_executor loop_;
    const std::shared_ptr<mailbox> box_;
    std::mutex mutex_;
    std::unique_ptr<handle> handle_;
    std::set<std::string, std::less<>> ordinary_;  // tables that are neither virtual nor functions
    int late_ = 0;  // how many of the last runs took too long, more or less
    bool closed_ = false;
    bool snapshot_ = false;
    bool end_posted_ = false;
    std::uint64_t published_ = 0;  // engine::published() when the snapshot was taken
};

}  // namespace sluice::sqlite
