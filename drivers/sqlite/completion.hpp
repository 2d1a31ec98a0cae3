// drivers/sqlite/completion.hpp: carries outcomes from worker threads to the coroutines that wait
// for them, on their own event loop, many with one wake.
//
//   worker: letters -> mailbox (one per loop) -> one posted handler -> every waiting coroutine
//
// Layer: drivers. Each is delivered exactly once; the loop is kept alive until then.
#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/associated_executor.hpp>
#include <asio/dispatch.hpp>
#include <asio/executor_work_guard.hpp>

#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "drivers/sqlite/requests.hpp"

namespace sluice::sqlite {

class completion {
public:
    virtual ~completion() = default;
    // On the session's loop. `self` is this: it is freed before the handler runs.
    virtual void deliver(std::unique_ptr<completion> self, outcome&& result) = 0;
};

template <class Handler>
class posted_completion final : public completion {
public:
    posted_completion(Handler handler, const asio::any_io_executor& fallback)
        : handler_(std::move(handler)),
          work_(asio::get_associated_executor(handler_, fallback)),
          at_home_(asio::any_io_executor(work_.get_executor()) == fallback)
    {
    }

    void deliver(std::unique_ptr<completion> self, outcome&& result) override
    {
        auto handler = std::move(handler_);
        const auto work = std::move(work_);
        const bool at_home = at_home_;
        self.reset();
        if (at_home) {
            std::move(handler)(std::move(result));
            return;
        }
        asio::dispatch(work.get_executor(),
                       [h = std::move(handler), r = std::move(result)]() mutable {
                           std::move(h)(std::move(r));
                       });
    }

private:
    using executor_type = asio::associated_executor_t<Handler, asio::any_io_executor>;
    Handler handler_;
    asio::executor_work_guard<executor_type> work_;
    bool at_home_;  // runs on the loop that the mailbox belongs to
};

class mailbox;

struct letter {
    std::shared_ptr<mailbox> box;
    std::unique_ptr<completion> to;  // null: nobody waits any more
    outcome result;
    request spent;  // freed on the way, outside of every mutex
};

class mailbox : public std::enable_shared_from_this<mailbox> {
public:
    explicit mailbox(asio::any_io_executor loop) : loop_(std::move(loop)) {}

    // Any thread. Leaves in `letters` what belongs to other mailboxes.
    void put(std::vector<letter>& letters);

private:
    void open();  // on the loop

    const asio::any_io_executor loop_;
    std::mutex mutex_;
    std::vector<letter> waiting_;
    bool called_ = false;
};

// Hands every letter to its mailbox. Any thread, without the engine's mutex.
void deliver(std::vector<letter>& letters);

}  // namespace sluice::sqlite
