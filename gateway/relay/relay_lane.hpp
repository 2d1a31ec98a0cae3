// gateway/relay/relay_lane.hpp: what every relayed client does, whatever its protocol: its bytes
// wait while it has no backend, a lease is asked for, a refusal becomes the answer to its next
// request.
//
//   on_data -> process(): a request begins -> lease() -> now, or on_backend() later -> process()
//
// Layer: gateway/relay. Thread: the client's worker.
// Bounds: while it waits the client is not read from, so in_ holds what one read brought.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "gateway/deadlines/sweep_list.hpp"
#include "gateway/deadlines/time_limits.hpp"
#include "gateway/errors.hpp"
#include "gateway/lane.hpp"
#include "gateway/relay/link.hpp"
#include "gateway/relay/relay_database.hpp"
#include "gateway/statistics/request_meter.hpp"
#include "pool/shard.hpp"

namespace sluice::gateway {

struct context;

class relay_lane : public lane, protected pool::waiter, protected swept {
public:
    void on_data(bytes_view bytes) override;
    void describe(statistics::client_info& into) const override;

protected:
    // What the client's next bytes wait for.
    enum class wait : std::uint8_t { none, backend, settings, settings_read, reply };

    struct refusal {
        client_error code = client_error::internal;
        std::string message;
        std::string hint;
    };

    relay_lane(context& shared, client_channel& channel, relay_database& database);
    ~relay_lane() override;

    // --- what a protocol does
    // Takes what it can of the client's bytes and returns how many; the rest comes again.
    virtual std::size_t process(bytes_view in) = 0;
    // The backend is the lane's from now on. True: it can be used; false: waiting_ says what for.
    virtual bool begin_lease(backend& granted) = 0;
    virtual void on_lease_ready() = 0;  // after a wait
    // The state of the client's session, where no request of it runs or waits.
    virtual void describe_session(statistics::client_info& into) const = 0;
    // Says why and closes the connection.
    virtual void fatal(client_error code, const std::string& message, std::string_view reason) = 0;

    // True: the lane has its backend. False: wait, or refusal_ says why not.
    bool lease();
    // Goes on with the bytes that waited.
    void resume();
    // The same from the loop: not from within a link's reading, the lane may lease another one.
    void resume_later();
    void hold(wait what);
    // The next request of the client is answered with this error.
    void refuse_next(client_error code, std::string message, std::string hint);
    // The server does not take bytes, so the client's are not read; the end of that.
    void block();
    void unblock();

    // Bytes that wait in in_ count for the tenant's max_buffer.
    void count_held() noexcept;
    // Whether its time is up is looked at while it has a backend.
    void watch_time() noexcept { sweeps_.add(*this); }
    void unwatch_time() noexcept { sweeps_.remove(*this); }
    // When this turn of the loop began.
    steady_clock::time_point now() const noexcept { return clock_.turn_time(); }

    context& shared_;
    client_channel& channel_;
    pool::shard& shard_;
    const std::size_t message_max_;  // gateway.max_message at the login
    const poller& clock_;
    statistics::request_meter meter_;
    byte_queue in_;                     // not understood, or not to be sent yet
    std::int64_t counted_ = 0;          // bytes of it that the tenant knows of
    std::unique_ptr<refusal> refusal_;  // what the next request is answered with
    wait waiting_ = wait::none;
    bool starting_ = true;  // the client has not heard that it is logged in
    bool closed_ = false;
    bool blocked_ = false;                                        // the server does not take bytes
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // for posts
    client_limits_in_force limits_;
    std::optional<time_limit> timed_out_;  // what runs is being cancelled because of it
    steady_clock::time_point cancelled_at_{};
    bool rolling_back_ = false;  // the gateway ends the client's transaction

private:
    // pool::waiter
    void on_backend(backend& granted) override;
    void on_refused(std::error_code code, const std::string& cause) override;
    std::uint64_t client_id() const noexcept override { return channel_.identity().id; }

    std::string_view waits_for() const;

    relay_database& of_;
    sweep_list& sweeps_;
    bool leasing_ = false;
};

}  // namespace sluice::gateway
