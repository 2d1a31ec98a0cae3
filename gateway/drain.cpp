// gateway/drain.cpp: waiting for clients to leave.
#include "gateway/drain.hpp"

#include <utility>

#include "gateway/log/log.hpp"
#include "gateway/worker.hpp"

namespace sluice::gateway {
namespace {

constexpr std::chrono::milliseconds look_every{20};
constexpr std::chrono::seconds goodbye_timeout{2};
// For sessions that were cut off to end.
constexpr std::chrono::seconds cut_off_again{5};

}  // namespace

drain::drain(context& shared, asio::io_context& first, std::function<void()> over)
    : shared_(shared), over_(std::move(over)), timer_(first)
{
}

void drain::begin(std::chrono::milliseconds timeout, std::chrono::milliseconds patience)
{
    const auto now = clock::now();
    deadline_ = now + timeout;
    firm_at_ = now + patience;
    if (!begun_) {
        log::info("shutting down", {{"drain_timeout_ms", timeout.count()}});
        shared_.control.set_state(run_state::draining);
    }
    if (!std::exchange(begun_, true) && timeout.count() > 0) {
        for (auto& each : shared_.workers)
            each->post_drain(false);
    }
    wait_for_clients();
}

void drain::wait_for_clients()
{
    std::size_t clients = 0;
    for (const auto& each : shared_.workers)
        clients += each->clients();
    if (clients == 0)
        return finish();
    const auto now = clock::now();
    if (now >= firm_at_ && !std::exchange(firm_, true)) {
        for (auto& each : shared_.workers)
            each->post_drain(true);
    }
    if (now >= deadline_) {
        log::warn("clients cut off", {{"clients", clients}});
        for (auto& each : shared_.workers)
            each->post_close_clients();
        deadline_ += cut_off_again;
    }
    timer_.expires_after(look_every);
    timer_.async_wait([this](const asio::error_code& ec) {
        if (!ec)
            wait_for_clients();
    });
}

void drain::finish()
{
    if (std::exchange(finished_, true))
        return;
    shared_.databases.close_all();
    deadline_ = clock::now() + goodbye_timeout;
    wait_for_backends();
}

// The servers hear a goodbye from each connection, if they listen.
void drain::wait_for_backends()
{
    if (shared_.databases.open_backends() == 0 || clock::now() >= deadline_)
        return over_();
    timer_.expires_after(look_every);
    timer_.async_wait([this](const asio::error_code& ec) {
        if (!ec)
            wait_for_backends();
    });
}

}  // namespace sluice::gateway
