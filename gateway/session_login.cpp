// gateway/session_login.cpp: a client's way in: TLS, password, cancel requests, the choice of a
// lane.
#include <asio/post.hpp>
#include <openssl/err.h>
#include <openssl/rand.h>

#include "gateway/context.hpp"
#include "gateway/log/log.hpp"
#include "gateway/session.hpp"
#include "gateway/tenants/identify.hpp"
#include "gateway/tls.hpp"
#include "gateway/worker.hpp"

namespace sluice::gateway {

void session::run_login()
{
    std::size_t consumed = 0;
    const auto action = front_->step(login_in_.readable(), consumed, out());
    login_in_.consume(consumed);
    switch (action) {
        case front_action::read_more:
            flush();
            return;
        case front_action::start_tls:
            begin_tls();
            return;
        case front_action::check_password:
            check_password();
            return;
        case front_action::authenticated:
            begin_serving();
            return;
        case front_action::cancel:
            pass_cancel_on();
            return;
        case front_action::failed:
            log::warn("login failed",
                      {{"client", identity_.id},
                       {"peer", identity_.peer},
                       {"user", front_->user()},
                       {"why", front_->failure()}});
            shared_.counts.worker(home_.index()).login_failures.add();
            close("login failed");
            return;
        case front_action::gone:
            gone("client left during the login");
            return;
    }
}

void session::begin_tls()
{
    flush();
    SSL* ssl = rules_->tls ? SSL_new(rules_->tls.get()) : nullptr;
    if (!ssl || SSL_set_fd(ssl, stream_.fd()) != 1) {
        SSL_free(ssl);
        gone("TLS cannot be started");
        return;
    }
    SSL_set_accept_state(ssl);
    stream_.set_ssl(ssl);
    phase_ = phase::tls;
    continue_tls();
}

void session::continue_tls()
{
    ERR_clear_error();
    const int done = SSL_do_handshake(stream_.ssl());
    if (done == 1) {
        phase_ = phase::login;
        front_->tls_started(stream_.ssl());
        home_.sockets().again(*this);
        return;
    }
    const int why = SSL_get_error(stream_.ssl(), done);
    if (why == SSL_ERROR_WANT_READ)
        return;
    if (why == SSL_ERROR_WANT_WRITE) {
        home_.sockets().want_write(stream_.fd(), *this, true);
        return;
    }
    log::warn("TLS handshake failed",
              {{"client", identity_.id}, {"peer", identity_.peer}, {"why", tls_error_text()}});
    shared_.counts.worker(home_.index()).tls_failures.add();
    gone("TLS handshake failed");
}

// A clear-text password costs a PBKDF2: off the loop.
void session::check_password()
{
    phase_ = phase::checking_password;
    flush();
    asio::post(shared_.blocking,
               [&home = home_, id = identity_.id, check = front_->password_check()] {
                   const bool matches = check();
                   asio::post(home.io(), [&home, id, matches] {
                       session* self = home.find(id);
                       if (!self || self->phase_ != phase::checking_password)
                           return;
                       self->phase_ = phase::login;
                       self->front_->password_checked(matches, self->out());
                       self->run_login();
                   });
               });
}

void session::pass_cancel_on()
{
    phase_ = phase::closing;
    deadline_ = std::chrono::steady_clock::now() + closing_timeout;
    // The client waits for the end of this connection before it goes on: not before the cancel
    // has reached its statement, or could hit its next one.
    auto done = [&home = home_, id = identity_.id] {
        asio::post(home.io(), [&home, id] {
            if (session* self = home.find(id))
                self->gone("cancel request passed on");
        });
    };
    if (const auto target = front_->cancelled()) {
        shared_.workers[target->worker]->post_cancel(target->client, std::move(done));
        return;
    }
    // A client of the process that this one has taken over from?
    const auto words = front_->cancel_request();
    if (!words || !shared_.takeover.cancel(words->pid, words->key, std::move(done)))
        gone("cancel request for nobody");
}

void session::register_for_cancels()
{
    RAND_bytes(reinterpret_cast<unsigned char*>(&identity_.pid), sizeof identity_.pid);
    RAND_bytes(reinterpret_cast<unsigned char*>(&identity_.cancel_key),
               sizeof identity_.cancel_key);
    identity_.pid &= 0x7fffffff;
    shared_.cancels.add(identity_.pid, identity_.cancel_key, {home_.index(), identity_.id});
    registered_ = true;
}

void session::begin_serving()
{
    front_->introduce(identity_);
    for (const auto& [name, value] : identity_.parameters) {
        if (name == "application_name" || name == "program_name")
            application_ = value.substr(0, 64);
    }
    const char* sni =
        stream_.ssl() ? SSL_get_servername(stream_.ssl(), TLSEXT_NAMETYPE_host_name) : nullptr;
    identity_.tenant = tenant_name(rules_->settings.tenants, identity_, sni ? sni : "");
    identity_.trace = sql::parse_traceparent(startup_option(identity_, trace_option));
    identity_.user = login_name(rules_->settings.tenants, identity_.user);
    front_.reset();
    byte_queue rest;
    rest.swap(login_in_);
    if (home_.draining()) {
        refuse(client_error::shutting_down, "the gateway is shutting down", "");
        return;
    }
    const bool welcome = choose_lane();
    rules_.reset();
    if (!welcome)
        return;
    if (protocol_ == client_protocol::postgres)
        register_for_cancels();
    log::info("client logged in",
              {{"client", identity_.id},
               {"peer", identity_.peer},
               {"user", identity_.user},
               {"database", identity_.database}});
    shared_.counts.worker(home_.index()).logins.add();
    phase_ = phase::serving;
    active_ = true;  // idle from now on, and no longer bound by login_timeout
    lane_->start();
    if (!rest.empty() && phase_ == phase::serving)
        lane_->on_data(rest.readable());
}

}  // namespace sluice::gateway
