// gateway/listener_set.hpp: all places where clients connect, and their change by a reload.
//
// Layer: gateway. Thread: the first worker's, or the main one before workers start.
#pragma once

#include <chrono>
#include <memory>
#include <vector>

#include "gateway/listener.hpp"
#include "gateway/service_manager.hpp"

namespace sluice::gateway {

class listener_set {
public:
    listener_set(context& shared, asio::io_context& io) : shared_(shared), io_(io) {}

    // Listens, with sockets of `inherited` where they fit. Clients wait until start(). An address
    // that is in use is tried again for `patience`, blocking. Throws std::runtime_error that says
    // which address and why.
    void open(const listen_config& settings,
              std::vector<inherited_socket>& inherited,
              std::chrono::steady_clock::duration patience);
    void start(client_protocol protocol);

    // Opens what is new in `settings`; throws, and then nothing has changed.
    void prepare(const listen_config& settings);
    void forget_prepared() { prepared_.clear(); }
    // Takes in what prepare() opened, ends what is not in `settings`.
    void commit(const listen_config& settings);

    void stop();
    // Another process has the sockets: their paths stay.
    void hand_over();

    // Their descriptors, still owned here.
    std::vector<inherited_socket> sockets() const;

private:
    struct wanted {
        endpoint where;
        client_protocol protocol;
    };
    static std::vector<wanted> all_of(const listen_config& settings);
    std::unique_ptr<listener> make(const wanted& what, int fd) const;

    context& shared_;
    asio::io_context& io_;
    std::vector<std::unique_ptr<listener>> all_;
    std::vector<std::unique_ptr<listener>> prepared_;
};

}  // namespace sluice::gateway
