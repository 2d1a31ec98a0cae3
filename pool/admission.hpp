// pool/admission.hpp: how many requests a database without connections works on, and who is next.
//
// The same lines, limits and shares as for a pool of backends (dispatcher.hpp), for an engine in
// this process: what is handed out is a place among `size`, not a connection. It is kept for a
// request, or to the end of its transaction.
//
// Layer: pool. Thread-safe; a guest is used on its own worker only.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>

#include "pool/dispatcher.hpp"

namespace sluice::pool {

class admission : public std::enable_shared_from_this<admission> {
public:
    // Whoever asks; leaves the line in its destructor.
    class guest : public candidate {
    public:
        virtual void on_admitted() = 0;
        bool inside() const noexcept { return static_cast<bool>(right_); }

    protected:
        ~guest() = default;

    private:
        friend class admission;
        slot right_;
    };

    static std::shared_ptr<admission> create(std::size_t size,
                                             dispatcher::bounds within,
                                             const std::vector<asio::io_context*>& loops,
                                             std::shared_ptr<scheduler> lock);

    // True: it is inside. False: it waits and hears on_admitted or on_refused later, the latter
    // also within this call.
    bool enter(guest& who, std::size_t worker);
    // No longer inside, or waiting.
    void leave(guest& who, std::size_t worker);

    void sweep(std::size_t worker, steady_clock::time_point now);
    // Before the loops end, when none of them runs any more.
    void stop();

    dispatcher& line() noexcept { return line_; }
    std::size_t inside() const noexcept { return inside_.load(); }
    std::size_t size() const noexcept { return size_; }

private:
    admission(std::size_t size,
              dispatcher::bounds within,
              const std::vector<asio::io_context*>& loops,
              std::shared_ptr<scheduler> lock);
    bool take_place() noexcept;
    void serve(std::size_t worker);
    void post_serve(std::size_t worker);
    void tell_refused(std::size_t worker);
    void watch_tokens(std::size_t worker);

    struct desk {
        asio::io_context* io = nullptr;
        std::atomic<bool> posted{false};
        std::unique_ptr<asio::steady_timer> tokens;
        steady_clock::time_point tokens_at = steady_clock::time_point::max();
    };

    const std::size_t size_;
    std::atomic<std::size_t> inside_{0};
    std::vector<desk> desks_;  // one per worker
    dispatcher line_;
};

}  // namespace sluice::pool
