// drivers/io/poller.cpp: the epoll set behind a worker's sockets.
#include "drivers/io/poller.hpp"

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include <asio/post.hpp>
#include <unistd.h>

namespace sluice {
namespace {

// One read never moves more than this; a busy connection yields after it.
constexpr std::size_t scratch_size = 64 * 1024;

constexpr std::uint32_t always = EPOLLIN | EPOLLRDHUP | EPOLLET;

void nothing(void*, asio::detail::operation*, const asio::error_code&, std::size_t) {}

const asio::error_code no_error;

int open_epoll()
{
    const int fd = ::epoll_create1(EPOLL_CLOEXEC);
    if (fd < 0)
        throw std::system_error(errno, std::generic_category(), "epoll_create1");
    return fd;
}

}  // namespace

poller::wake_up::wake_up(poller& owner) : reactor_op(no_error, perform, nothing), owner_(owner) {}

// Asio holds its lock of this one descriptor meanwhile: nothing below may touch it.
asio::detail::reactor_op::status poller::wake_up::perform(asio::detail::reactor_op* self)
{
    static_cast<wake_up*>(self)->owner_.run();
    return not_done;
}

poller::poller(asio::io_context& io)
    : io_(io),
      reactor_(asio::use_service<asio::detail::epoll_reactor>(io)),
      work_(io.get_executor()),
      epoll_(open_epoll()),
      scratch_(scratch_size)
{
    reactor_.init_task();
    const int failed = reactor_.register_internal_descriptor(
        asio::detail::epoll_reactor::read_op, epoll_, in_reactor_, &wake_up_);
    if (failed != 0)
        throw std::system_error(failed, std::generic_category(), "epoll_ctl");
}

poller::~poller()
{
    stop();
}

void poller::add(int fd, pollable& owner)
{
    epoll_event event{};
    event.events = always;
    event.data.ptr = &owner;
    if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0)
        throw std::system_error(errno, std::generic_category(), "epoll_ctl");
}

void poller::want_write(int fd, pollable& owner, bool on)
{
    epoll_event event{};
    event.events = always | (on ? EPOLLOUT : 0u);
    event.data.ptr = &owner;
    ::epoll_ctl(epoll_, EPOLL_CTL_MOD, fd, &event);
}

void poller::remove(int fd, pollable& owner) noexcept
{
    if (epoll_ < 0)
        return;
    epoll_event event{};
    ::epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, &event);
    for (int i = next_; i < count_; ++i) {
        if (events_[static_cast<std::size_t>(i)].data.ptr == &owner)
            events_[static_cast<std::size_t>(i)].data.ptr = nullptr;
    }
    std::replace(again_.begin(), again_.end(), &owner, static_cast<pollable*>(nullptr));
    std::replace(again_now_.begin(), again_now_.end(), &owner, static_cast<pollable*>(nullptr));
    std::replace(at_end_.begin(), at_end_.end(), &owner, static_cast<pollable*>(nullptr));
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
                turn(0);
        });
    }
}

void poller::at_turn_end(pollable& owner)
{
    if (in_turn_)
        at_end_.push_back(&owner);
    else
        owner.on_turn_end();
}

void poller::stop()
{
    if (epoll_ < 0)
        return;
    reactor_.deregister_internal_descriptor(epoll_, in_reactor_);
    reactor_.cleanup_descriptor_data(in_reactor_);
    ::close(std::exchange(epoll_, -1));
    work_.reset();
}

void poller::run()
{
    int count = 0;
    for (int turns = 0; turns < turns_max && epoll_ >= 0; ++turns) {
        count = ::epoll_wait(epoll_, events_.data(), batch_max, 0);
        if (count <= 0 && again_.empty())
            break;
        turn(std::max(count, 0));
        // Few events: the next wait would likely find none. What came since wakes the reactor.
        if (count < 4 && again_.empty())
            break;
    }
    // The reactor says once that there are events: a full batch may have left some.
    if (count == batch_max || !again_.empty()) {
        asio::post(io_, [this] {
            if (epoll_ >= 0)
                run();
        });
    }
}

void poller::turn(int count)
{
    in_turn_ = true;
    turn_time_ = std::chrono::steady_clock::now();
    deliver(count);
    deliver_again();
    in_turn_ = false;
    for (std::size_t i = 0; i < at_end_.size(); ++i) {
        if (pollable* owner = std::exchange(at_end_[i], nullptr))
            owner->on_turn_end();
    }
    at_end_.clear();
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
