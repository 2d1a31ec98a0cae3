// drivers/io/poller.cpp: the epoll set behind a worker's sockets.
#include "drivers/io/poller.hpp"

#include <algorithm>
#include <cerrno>
#include <system_error>

#include <asio/post.hpp>

namespace sluice {
namespace {

// One read never moves more than this; a busy connection yields after it.
constexpr std::size_t scratch_size = 64 * 1024;

constexpr std::uint32_t always = EPOLLIN | EPOLLRDHUP | EPOLLET;

int open_epoll()
{
    const int fd = ::epoll_create1(EPOLL_CLOEXEC);
    if (fd < 0)
        throw std::system_error(errno, std::generic_category(), "epoll_create1");
    return fd;
}

}  // namespace

poller::poller(asio::io_context& io) : io_(io), epoll_(io, open_epoll()), scratch_(scratch_size)
{
    arm();
}

void poller::add(int fd, pollable& owner)
{
    epoll_event event{};
    event.events = always;
    event.data.ptr = &owner;
    if (::epoll_ctl(epoll_.native_handle(), EPOLL_CTL_ADD, fd, &event) != 0)
        throw std::system_error(errno, std::generic_category(), "epoll_ctl");
}

void poller::want_write(int fd, pollable& owner, bool on)
{
    epoll_event event{};
    event.events = always | (on ? EPOLLOUT : 0u);
    event.data.ptr = &owner;
    ::epoll_ctl(epoll_.native_handle(), EPOLL_CTL_MOD, fd, &event);
}

void poller::remove(int fd, pollable& owner) noexcept
{
    if (!epoll_.is_open())
        return;
    epoll_event event{};
    ::epoll_ctl(epoll_.native_handle(), EPOLL_CTL_DEL, fd, &event);
    for (int i = next_; i < count_; ++i) {
        if (events_[static_cast<std::size_t>(i)].data.ptr == &owner)
            events_[static_cast<std::size_t>(i)].data.ptr = nullptr;
    }
    std::replace(again_.begin(), again_.end(), &owner, static_cast<pollable*>(nullptr));
    std::replace(again_now_.begin(), again_now_.end(), &owner, static_cast<pollable*>(nullptr));
}

void poller::again(pollable& owner)
{
    if (std::find(again_.begin(), again_.end(), &owner) != again_.end())
        return;
    again_.push_back(&owner);
    // Outside of run() nobody would look: the next turn has to be asked for.
    if (count_ == 0 && again_.size() == 1) {
        asio::post(io_, [this] {
            if (count_ == 0)
                deliver_again();
        });
    }
}

void poller::stop()
{
    asio::error_code ignored;
    epoll_.close(ignored);
}

void poller::arm()
{
    epoll_.async_wait(asio::posix::stream_descriptor::wait_read,
                      [this](const asio::error_code& ec) {
                          if (ec)
                              return;
                          run();
                          if (epoll_.is_open())
                              arm();
                      });
}

void poller::run()
{
    for (int turn = 0; turn < turns_max && epoll_.is_open(); ++turn) {
        const int count = ::epoll_wait(epoll_.native_handle(), events_.data(), batch_max, 0);
        if (count <= 0 && again_.empty())
            break;
        deliver(std::max(count, 0));
        deliver_again();
        // Few events: the next wait would likely find none, and arm() reports what came since.
        if (count < 4 && again_.empty())
            break;
    }
    if (!again_.empty()) {
        asio::post(io_, [this] { deliver_again(); });
    }
}

void poller::deliver(int count)
{
    count_ = count;
    for (next_ = 0; next_ < count_;) {
        const epoll_event event = events_[static_cast<std::size_t>(next_++)];
        if (event.data.ptr)
            static_cast<pollable*>(event.data.ptr)->on_ready(event.events);
    }
    count_ = next_ = 0;
}

void poller::deliver_again()
{
    again_now_.swap(again_);
    for (std::size_t i = 0; i < again_now_.size(); ++i) {
        if (pollable* owner = again_now_[i]) {
            again_now_[i] = nullptr;
            owner->on_ready(EPOLLIN);
        }
    }
    again_now_.clear();
}

}  // namespace sluice
