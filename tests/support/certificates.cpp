// tests/support/certificates.cpp: runs the openssl program.
#include "support/certificates.hpp"

#include <fstream>
#include <stdexcept>
#include <vector>

#include "support/child_process.hpp"

namespace sluice::support {
namespace {

void openssl(std::vector<std::string> arguments)
{
    arguments.insert(arguments.begin(), "/usr/bin/openssl");
    run(std::move(arguments), true);
}

}  // namespace

void create_certificates(const std::string& folder)
{
    const auto at = [&folder](const std::string& name) { return folder + "/" + name; };
    const std::vector<std::string> new_key = {
        "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"};
    for (const std::string name : {"ca", "other"}) {
        auto request = new_key;
        request.insert(request.end(),
                       {"-x509",
                        "-days",
                        "30",
                        "-subj",
                        "/CN=sluice test " + name,
                        "-keyout",
                        at(name + ".key"),
                        "-out",
                        at(name + ".crt")});
        openssl(request);
    }
    auto request = new_key;
    request.insert(
        request.end(),
        {"-subj", "/CN=localhost", "-keyout", at("server.key"), "-out", at("server.csr")});
    openssl(request);

    std::ofstream extension(at("server.ext"));
    extension << "subjectAltName = DNS:localhost, IP:127.0.0.1\n";
    if (!extension.flush())
        throw std::runtime_error("cannot write " + at("server.ext"));
    openssl({"x509",
             "-req",
             "-days",
             "30",
             "-in",
             at("server.csr"),
             "-CA",
             at("ca.crt"),
             "-CAkey",
             at("ca.key"),
             "-CAcreateserial",
             "-extfile",
             at("server.ext"),
             "-out",
             at("server.crt")});
}

}  // namespace sluice::support
