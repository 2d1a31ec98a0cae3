// drivers/sqlite/completion.hpp: carries an outcome from a worker thread to the coroutine that
// waits for it, on that coroutine's own event loop.
//
// Layer: drivers. Delivered exactly once; the loop is kept alive until then.
#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/associated_executor.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/post.hpp>

#include <utility>

#include "drivers/sqlite/requests.hpp"

namespace sluice::sqlite {

class completion {
public:
    virtual ~completion() = default;
    virtual void deliver(outcome&& result) = 0;  // any thread
};

template <class Handler>
class posted_completion final : public completion {
public:
    posted_completion(Handler handler, const asio::any_io_executor& fallback)
        : handler_(std::move(handler)), work_(asio::get_associated_executor(handler_, fallback))
    {
    }

    void deliver(outcome&& result) override
    {
        const auto executor = work_.get_executor();
        asio::post(executor, [handler = std::move(handler_), result = std::move(result)]() mutable {
            std::move(handler)(std::move(result));
        });
        work_.reset();
    }

private:
    using executor_type = asio::associated_executor_t<Handler, asio::any_io_executor>;
    Handler handler_;
    asio::executor_work_guard<executor_type> work_;
};

}  // namespace sluice::sqlite
