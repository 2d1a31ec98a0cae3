// gateway/reload.hpp: a configuration file read anew, and what of it a running gateway takes over.
//
//   load (helper thread)          -> apply (first worker)             -> after a while
//   file, certificates, verifiers,   listeners, snapshot, pools, log,    SQLite files without
//   clients new SQLite files, differences    clients of removed databases        are closed
//
// Whatever can fail is done before anything is changed. Layer: gateway.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>

#include "gateway/context.hpp"
#include "gateway/listener_set.hpp"

namespace sluice::gateway {

class reloader {
public:
    using reload_done = std::function<void(const reload_report&)>;

    // `first`: the first worker's loop.
    reloader(context& shared, asio::io_context& first, listener_set& listeners);

    // One after the other. `done` is called on the first worker. Any thread.
    void run(reload_done done);
    // The same with one setting of what is in effect changed, and without reading the file, which
    // the next reload goes by again. Any thread.
    void change(setting wanted, reload_done done);
    // On the first worker: timers are cancelled, later reloads refused.
    void stop();

private:
    struct attempt {
        reload_done done;
        std::optional<setting> wanted;  // none: the file
        reload_report report;
        config_snapshot before;
        std::shared_ptr<const generation> next;
    };
    using attempt_ref = std::shared_ptr<attempt>;

    void enqueue(attempt_ref next);
    void start_next();
    void load(const attempt_ref& now);
    bool load_file(attempt& now);
    bool load_setting(attempt& now);
    bool prepare(attempt& now, const config& wanted);
    std::string open_files(const config& wanted);
    void apply(const attempt_ref& now);
    void finish(const attempt_ref& now);
    void drain_clients_of(const std::set<std::string>& names);
    void look_again();

    context& shared_;
    asio::io_context& first_;
    listener_set& listeners_;
    std::vector<attempt_ref> waiting_;  // the first worker's, with what follows
    bool running_ = false;
    bool stopped_ = false;
    asio::steady_timer again_;
    // Of databases that were removed: whose clients may still be there, and files.
    std::map<std::string, std::uint64_t> leaving_;  // by generations before that number
    std::chrono::steady_clock::time_point leave_until_{};
    std::vector<std::shared_ptr<sqlite::database>> closing_;
    std::atomic<std::size_t> files_closing_{0};  // these, until they are closed
    int looks_ = 0;
};

}  // namespace sluice::gateway
