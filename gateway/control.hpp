// gateway/control.hpp: what signals, the admin console and the HTTP API may ask of the running
// gateway as a whole: reload, drain, end; and whether it is ready.
//
//   shared.control.reload(loop, [](const reload_report& done) { ... });
//   shared.control.change({{"databases", "app", "pool", "size"}, "30"}, loop, done);
//   shared.control.shut_down(shutdown_mode::wait_for_clients);
//   if (shared.control.ready()) ...
//
// Layer: gateway. Thread-safe. What is asked for is done by the server (server.cpp) on threads of
// its own; nothing here blocks.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <vector>

#include <asio/io_context.hpp>

#include "gateway/config/change.hpp"

namespace sluice::gateway {

struct reload_report {
    // file:line:column: what is wrong. Not empty: nothing has changed.
    std::vector<std::string> errors;
    std::vector<std::string> warnings;       // likewise, of a file that was taken
    std::vector<std::string> changes;        // "databases.app.pool.size: 20 → 30": in effect
    std::vector<std::string> needs_restart;  // the same of what a running process cannot change

    std::string hint;  // what to do about an error, if anything is known

    bool ok() const noexcept { return errors.empty(); }
};

enum class shutdown_mode {
    // No new clients; the present ones leave at the end of their transactions, after
    // gateway.drain_timeout at the latest.
    wait_for_clients,
    immediate,  // everybody is cut off; transactions are rolled back
};

enum class run_state {
    starting,  // not listening yet
    serving,
    draining,  // no new clients
};

class control {
public:
    using reload_done = std::function<void(const reload_report&)>;

    // Reads the configuration anew and applies it. `done` (may be empty) is called on `loop`.
    // Reloads that are asked for at the same time run one after the other.
    void reload(asio::io_context& loop, reload_done done) const;
    // One setting, until the next reload: in its turn among the reloads, and as atomic.
    void change(setting wanted, asio::io_context& loop, reload_done done) const;
    // Comes back at once. A second one ends everything at once, as a second signal does.
    void shut_down(shutdown_mode how) const;

    run_state state() const noexcept { return state_.load(); }
    bool draining() const noexcept { return state() == run_state::draining; }
    // New clients are welcome: listening, and not draining.
    bool ready() const noexcept { return state() == run_state::serving; }

    // By the server alone, before the workers start, and until they have ended.
    struct hooks {
        std::function<void(std::function<void(const reload_report&)>)>
            reload;  // any thread answers
        std::function<void(setting, std::function<void(const reload_report&)>)> change;  // likewise
        std::function<void(shutdown_mode)> shut_down;
    };
    void attach(hooks to) { hooks_ = std::move(to); }
    void set_state(run_state now) noexcept { state_.store(now); }

private:
    hooks hooks_;
    std::atomic<run_state> state_{run_state::starting};
};

}  // namespace sluice::gateway
