// tests/integration/pg_login/login_server.cpp: a server that only logs clients in.
#include "integration/pg_login/login_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <stdexcept>

#include "gateway/tls.hpp"
#include "proto/pg/messages.hpp"

namespace sluice::test {

namespace {

void must(bool holds, const char* what)
{
    if (!holds)
        throw std::runtime_error(what);
}

SSL_CTX* make_context(certificate_kind kind)
{
    const bool rsa = kind == certificate_kind::rsa;
    SSL_CTX* context = SSL_CTX_new(TLS_server_method());
    EVP_PKEY* key = rsa ? EVP_RSA_gen(2048) : EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
    X509* certificate = X509_new();
    must(context && key && certificate, "no TLS context");
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    X509_NAME* name = X509_get_subject_name(certificate);
    const auto* text = reinterpret_cast<const unsigned char*>("localhost");
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, text, -1, -1, 0);
    X509_set_issuer_name(certificate, name);
    must(X509_sign(certificate, key, rsa ? EVP_sha384() : nullptr) > 0,
         "the certificate was not signed");
    must(SSL_CTX_use_certificate(context, certificate) == 1, "the certificate was not taken");
    must(SSL_CTX_use_PrivateKey(context, key) == 1, "the key was not taken");
    X509_free(certificate);
    EVP_PKEY_free(key);
    return context;
}

// A socket, with TLS on it from tls_accept() on.
class stream {
public:
    explicit stream(int socket) : socket_(socket) {}
    ~stream()
    {
        SSL_free(tls_);
        close(socket_);
    }
    stream(const stream&) = delete;
    stream& operator=(const stream&) = delete;

    bool tls_accept(SSL_CTX* context)
    {
        tls_ = SSL_new(context);
        SSL_set_fd(tls_, socket_);
        return SSL_accept(tls_) == 1;
    }

    bool read_more(std::string& in)
    {
        char block[4096];
        const auto got = tls_ ? SSL_read(tls_, block, sizeof block)
                              : static_cast<int>(recv(socket_, block, sizeof block, 0));
        if (got <= 0)
            return false;
        in.append(block, static_cast<std::size_t>(got));
        return true;
    }

    void send_all(byte_queue& out)
    {
        while (!out.empty()) {
            const auto bytes = out.readable();
            const auto sent =
                tls_ ? SSL_write(tls_, bytes.data(), static_cast<int>(bytes.size()))
                     : static_cast<int>(send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL));
            if (sent <= 0)
                return;
            out.consume(static_cast<std::size_t>(sent));
        }
    }

    SSL* tls() const { return tls_; }

private:
    int socket_;
    SSL* tls_ = nullptr;
};

void welcome(const pg::login_machine& login, byte_queue& out)
{
    pg::append_parameter_status(out, "server_version", "15.0");
    pg::append_parameter_status(out, "seen_user", login.user());
    pg::append_parameter_status(out, "seen_database", login.database());
    pg::append_parameter_status(out, "seen_options", login.options());
    for (const auto& [name, value] : login.parameters())
        pg::append_parameter_status(out, "seen_" + name, value);
    pg::append_backend_key_data(out, 7, as_bytes("key!"));
    pg::append_ready_for_query(out, pg::transaction_status::idle);
}

}  // namespace

login_server::login_server(const gateway::user_store& users,
                           pg::login_options options,
                           certificate_kind kind)
    : users_(users), options_(options), tls_(make_context(kind))
{
    listener_ = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* raw = reinterpret_cast<sockaddr*>(&address);
    must(bind(listener_, raw, size) == 0 && listen(listener_, 16) == 0, "no listener");
    getsockname(listener_, raw, &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
}

login_server::~login_server()
{
    stopping_ = true;
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    close(listener_);
}

std::string login_server::url(const std::string& user, const std::string& more) const
{
    return "host=127.0.0.1 connect_timeout=10 gssencmode=disable port=" + std::to_string(port_) +
           " user=" + user + " " + more;
}

void login_server::serve()
{
    while (!stopping_) {
        const int socket = accept(listener_, nullptr, nullptr);
        if (socket < 0)
            continue;
        const timeval longest{10, 0};
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &longest, sizeof longest);
        talk_to(socket);
    }
}

void login_server::talk_to(int socket)
{
    stream client(socket);
    pg::login_machine login(options_);
    std::string in;
    byte_queue out;
    for (;;) {
        std::size_t consumed = 0;
        const auto action = login.step(as_bytes(in), consumed, out);
        in.erase(0, consumed);
        switch (action) {
            case pg::login_action::read_more:
                client.send_all(out);
                if (!client.read_more(in))
                    return;
                break;
            case pg::login_action::start_tls:
                client.send_all(out);
                if (!client.tls_accept(tls_.get()))
                    return;
                login.tls_started(gateway::certificate_end_point(client.tls()));
                break;
            case pg::login_action::need_credentials:
                login.supply(users_.credentials_for(login.user()), out);
                break;
            case pg::login_action::check_password:
                login.password_checked(
                    pg::password_matches(login.known(), login.user(), login.password()), out);
                break;
            case pg::login_action::authenticated:
                welcome(login, out);
                client.send_all(out);
                return;
            case pg::login_action::failed:
                client.send_all(out);
                return;
            case pg::login_action::cancel:
            case pg::login_action::gone:
                return;
        }
    }
}

}  // namespace sluice::test
