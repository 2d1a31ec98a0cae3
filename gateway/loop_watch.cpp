// gateway/loop_watch.cpp: feeding systemd's watchdog.
#include "gateway/loop_watch.hpp"

#include <algorithm>

#include <asio/post.hpp>

#include "gateway/log/log.hpp"
#include "gateway/worker.hpp"

namespace sluice::gateway {
namespace {

// Twice as often as it must be fed, and once to spare.
constexpr int ticks_of_watchdog = 3;

}  // namespace

loop_watch::loop_watch(context& shared, const service_manager& manager, asio::io_context& first)
    : shared_(shared),
      manager_(manager),
      timer_(first),
      answered_(
          std::make_shared<std::vector<std::atomic<clock::time_point>>>(shared.workers.size()))
{
}

void loop_watch::start()
{
    if (manager_.watchdog().count() <= 0)
        return;
    for (auto& each : *answered_)
        each.store(clock::now());
    tick();
}

void loop_watch::stop()
{
    timer_.cancel();
}

void loop_watch::tick()
{
    const auto now = clock::now();
    const bool all = std::all_of(answered_->begin(), answered_->end(), [&](const auto& each) {
        return now - each.load() < manager_.watchdog();
    });
    if (all)
        manager_.feed_watchdog();
    else
        log::error("a worker's loop hangs: systemd's watchdog is not fed");
    for (std::size_t i = 0; i < shared_.workers.size(); ++i)
        asio::post(shared_.workers[i]->io(),
                   [all_answers = answered_, i] { (*all_answers)[i].store(clock::now()); });
    timer_.expires_after(manager_.watchdog() / ticks_of_watchdog);
    timer_.async_wait([this](const asio::error_code& ec) {
        if (!ec)
            tick();
    });
}

}  // namespace sluice::gateway
