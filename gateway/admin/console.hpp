// gateway/admin/console.hpp: runs the console's commands for one client, whatever its protocol.
//
// Layer: gateway. Thread: the client's worker. Held by its lane through a shared_ptr, because what
// other threads answer may come when the client is gone; then nobody hears it.
// Bounds: one command at a time. What has to wait (PAUSE, WAIT_CLOSE) looks again every
// `look_again` and ends with cancel(); nothing blocks.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>

#include "gateway/admin/command.hpp"
#include "gateway/config/config.hpp"

namespace sluice::gateway {
struct context;
struct reload_report;
}  // namespace sluice::gateway

namespace sluice::gateway::admin {

// Whether this name is the console's: it is, unless the configuration has a database of that name.
bool is_console(const config& settings, std::string_view database) noexcept;
// May come in: `admin`, or `stats` for looking only.
bool may_enter(const user* who) noexcept;
bool anybody_may_enter(const config& settings) noexcept;

class console : public std::enable_shared_from_this<console> {
public:
    using done = std::function<void(answer)>;

    console(context& shared, asio::io_context& io, std::string user);

    // `then` is called once, within this call or later on this thread; not after leave().
    void run(const command& what, done then);
    // What waits ends with an error; a PAUSE that was not complete is taken back.
    void cancel();
    // The client is gone: as cancel(), and nobody is told.
    void leave();
    // What the command that runs waits for; empty: nothing that takes long.
    std::string waits_for() const;

private:
    static constexpr std::chrono::milliseconds look_again{10};

    enum class waiting { no, pause, close };

    // Why the user may not say this; asked for each command: a reload may have changed it.
    std::optional<problem> forbidden(const command& what) const;
    void finish(answer made);
    void refuse(problem why);
    void acknowledge(std::string tag);
    bool names_no_database(const command& what);
    void act(const command& what);
    void pause(const std::string& database);
    void wait(waiting what, const std::string& database);
    void look();
    void kill_client(std::uint64_t id);
    void reload();
    void reloaded(const reload_report& report);
    void set(const command& what);
    void was_set(const reload_report& report);
    void shut_down(bool when_idle);
    void show_topic(topic what);
    void take_back();

    context& shared_;
    asio::io_context& io_;
    const std::string user_;
    asio::steady_timer timer_;
    done then_;
    unsigned turn_ = 0;  // counts commands: late answers to earlier ones are dropped
    waiting waiting_ = waiting::no;
    std::string waits_for_;
    bool was_paused_ = false;
};

}  // namespace sluice::gateway::admin
