// gateway/loop_watch.hpp: feeds systemd's watchdog as long as every worker's loop answers.
//
// Layer: gateway. Thread: the first worker's. A loop that hangs, the first one's too, starves it.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <vector>

#include <asio/steady_timer.hpp>

#include "gateway/context.hpp"
#include "gateway/service_manager.hpp"

namespace sluice::gateway {

class loop_watch {
public:
    loop_watch(context& shared, const service_manager& manager, asio::io_context& first);

    // Before the workers start. Does nothing without a watchdog.
    void start();
    void stop();

private:
    using clock = std::chrono::steady_clock;

    void tick();

    context& shared_;
    const service_manager& manager_;
    asio::steady_timer timer_;
    // When each loop answered last; posts that are under way keep it.
    std::shared_ptr<std::vector<std::atomic<clock::time_point>>> answered_;
};

}  // namespace sluice::gateway
