// tests/integration/drivers_mysql/scripted_server.cpp: blocking, with every wait bounded.
#include "integration/drivers_mysql/scripted_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <stdexcept>

namespace sluice {
namespace {

bool readable(int fd, const std::atomic<bool>& stop)
{
    // Woken often enough to stop with the test.
    for (int i = 0; i < 6000 && !stop; ++i) {
        pollfd one{fd, POLLIN, 0};
        if (::poll(&one, 1, 20) == 1)
            return true;
    }
    return false;
}

struct hung_up {};

}  // namespace

// One connection, from its greeting to its end; throws hung_up there.
class scripted_conversation {
public:
    scripted_conversation(scripted_server& of, int fd) : of_(of), settings_(of.settings_), fd_(fd)
    {
    }
    ~scripted_conversation() { SSL_free(ssl_); }

    void run()
    {
        fail_if_due();
        mysql::server_login login(settings_.login);
        while (!log_in(login)) {
        }
        while (true)
            answer_statement(login.capabilities());
    }

private:
    void fail_if_due();
    void send();
    void read(std::size_t most);
    bool log_in(mysql::server_login& login);
    void start_tls();
    bool matches(const mysql::server_login& login);
    void answer_statement(std::uint32_t capabilities);

    scripted_server& of_;
    const scripted_settings& settings_;
    const int fd_;
    SSL* ssl_ = nullptr;
    int reads_ = 0;
    std::string in_;
    byte_queue out_;
};

scripted_server::scripted_server(scripted_settings settings) : settings_(std::move(settings))
{
    const auto& path = settings_.socket;
    sockaddr_un local{};
    local.sun_family = AF_UNIX;
    path.copy(local.sun_path, sizeof local.sun_path - 1);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = path.empty() ? sizeof address : sizeof local;
    auto* at =
        path.empty() ? reinterpret_cast<sockaddr*>(&address) : reinterpret_cast<sockaddr*>(&local);
    listener_ = ::socket(at->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (::bind(listener_, at, size) != 0 || ::listen(listener_, 16) != 0)
        throw std::runtime_error("cannot listen");
    if (path.empty()) {
        ::getsockname(listener_, at, &size);
        port_ = ntohs(address.sin_port);
    }
    thread_ = std::thread([this] { serve(); });
}

scripted_server::~scripted_server()
{
    stop_ = true;
    thread_.join();
    ::close(listener_);
}

void scripted_server::serve()
{
    while (!stop_) {
        pollfd one{listener_, POLLIN, 0};
        if (::poll(&one, 1, 20) != 1)
            continue;
        const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (fd < 0)
            continue;
        ++connections_;
        try {
            scripted_conversation(*this, fd).run();
        } catch (const hung_up&) {
        }
        ::close(fd);
    }
}

// Nothing more is read or sent when the fault is due.
void scripted_conversation::fail_if_due()
{
    if (settings_.what == fault::none || reads_++ < settings_.before_read)
        return;
    while (settings_.what == fault::stall && !of_.stop_)
        ::usleep(10'000);
    throw hung_up{};
}

void scripted_conversation::send()
{
    const auto bytes = out_.readable();
    if (!bytes.empty() && ssl_)
        SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size()));
    else if (!bytes.empty())
        (void)::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    out_.clear();
}

void scripted_conversation::read(std::size_t most)
{
    fail_if_due();
    std::array<char, 65536> some;
    if (!(ssl_ && SSL_pending(ssl_) > 0) && !readable(fd_, of_.stop_))
        throw hung_up{};
    const auto size = std::min(most, some.size());
    const auto got = ssl_ ? SSL_read(ssl_, some.data(), static_cast<int>(size))
                          : static_cast<int>(::recv(fd_, some.data(), size, 0));
    if (got <= 0)
        throw hung_up{};
    in_.append(some.data(), static_cast<std::size_t>(got));
}

void scripted_conversation::start_tls()
{
    fail_if_due();
    ssl_ = SSL_new(settings_.tls);
    SSL_set_fd(ssl_, fd_);
    if (!readable(fd_, of_.stop_) || SSL_accept(ssl_) != 1)
        throw hung_up{};
}

bool scripted_conversation::matches(const mysql::server_login& login)
{
    ++of_.clear_passwords_;
    const auto clear = login.sealed().open();
    return clear && (mysql::password_matches(login.known(), *clear) ||
                     (login.known().other && *clear == settings_.scram_password));
}

// True when the client is in.
bool scripted_conversation::log_in(mysql::server_login& login)
{
    std::size_t consumed = 0;
    const auto action = login.step(as_bytes(in_), consumed, out_);
    in_.erase(0, consumed);
    switch (action) {
        case mysql::server_login_action::read_more:
            send();
            read(login.read_max());
            return false;
        case mysql::server_login_action::start_tls:
            start_tls();
            login.tls_started();
            return false;
        case mysql::server_login_action::need_credentials:
            login.supply(settings_.known, out_);
            return false;
        case mysql::server_login_action::check_password:
            login.password_checked(matches(login), out_);
            return false;
        case mysql::server_login_action::authenticated:
            login.welcome(mysql::status::autocommit, out_);
            send();
            return true;
        default:
            send();
            throw hung_up{};
    }
}

void scripted_conversation::answer_statement(std::uint32_t capabilities)
{
    const auto found = mysql::next_message(as_bytes(in_), 1 << 20);
    if (!found)
        throw hung_up{};
    if (found->missing > 0) {
        read(65536);
        return;
    }
    const std::string payload(as_text(found->found.payload()));
    std::uint8_t sequence = found->found.next_sequence;
    in_.erase(0, found->found.packets.size());
    if (payload == "\x01") {
        of_.quit_ = true;
        throw hung_up{};
    }
    const auto sql = payload.substr(1);
    of_.statements_.push_back(sql);
    const auto answer = settings_.answer ? settings_.answer(sql) : std::string();
    if (answer.empty())
        mysql::append_ok(out_, sequence, {}, capabilities);
    else
        mysql::append_message(out_, as_bytes(answer), sequence);
    send();
}

}  // namespace sluice
