#include "CLinux.h"

#include <errno.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int gantry_netlink_open(int protocol) {
    int descriptor = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
    if (descriptor < 0) return -1;
    struct sockaddr_nl address = {.nl_family = AF_NETLINK};
    if (bind(descriptor, (struct sockaddr *)&address, sizeof address) < 0) {
        int failure = errno;
        close(descriptor);
        errno = failure;
        return -1;
    }
    // Comforts that an old kernel may lack: words for errors, short acknowledgements, filters in dumps.
    int on = 1;
    setsockopt(descriptor, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on);
    setsockopt(descriptor, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
    setsockopt(descriptor, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof on);
    return descriptor;
}

ssize_t gantry_netlink_receive(int socket, void *buffer, size_t capacity) {
    return recv(socket, buffer, capacity, MSG_TRUNC);
}

static socklen_t fill(struct sockaddr_storage *storage, const uint8_t *bytes, int length, uint16_t port) {
    memset(storage, 0, sizeof *storage);
    if (length == 4) {
        struct sockaddr_in *address = (struct sockaddr_in *)storage;
        address->sin_family = AF_INET;
        address->sin_port = htons(port);
        memcpy(&address->sin_addr, bytes, 4);
        return sizeof *address;
    }
    struct sockaddr_in6 *address = (struct sockaddr_in6 *)storage;
    address->sin6_family = AF_INET6;
    address->sin6_port = htons(port);
    memcpy(&address->sin6_addr, bytes, 16);
    return sizeof *address;
}

int gantry_inet_socket(int address_length, int type, int protocol) {
    int family = address_length == 4 ? AF_INET : AF_INET6;
    int descriptor = socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
    int on = 1;
    if (descriptor >= 0 && family == AF_INET6)
        setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    // A listener of a dead process leaves connections behind that must not keep its successor from the port.
    if (descriptor >= 0 && type == SOCK_STREAM)
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    return descriptor;
}

int gantry_inet_bind(int socket, const uint8_t *address, int address_length, uint16_t port) {
    struct sockaddr_storage storage;
    socklen_t length = fill(&storage, address, address_length, port);
    return bind(socket, (struct sockaddr *)&storage, length);
}

int gantry_inet_connect(int socket, const uint8_t *address, int address_length, uint16_t port) {
    struct sockaddr_storage storage;
    socklen_t length = fill(&storage, address, address_length, port);
    return connect(socket, (struct sockaddr *)&storage, length);
}

ssize_t gantry_inet_send_to(
    int socket, const void *data, size_t count, const uint8_t *address, int address_length, uint16_t port) {
    struct sockaddr_storage storage;
    socklen_t length = fill(&storage, address, address_length, port);
    return sendto(socket, data, count, MSG_NOSIGNAL, (struct sockaddr *)&storage, length);
}

ssize_t gantry_inet_receive_from(
    int socket, void *data, size_t capacity, uint8_t bytes[16], int *address_length, uint16_t *port) {
    struct sockaddr_storage storage;
    socklen_t length = sizeof storage;
    ssize_t count = recvfrom(socket, data, capacity, 0, (struct sockaddr *)&storage, &length);
    if (count < 0) return count;
    if (storage.ss_family == AF_INET) {
        struct sockaddr_in *address = (struct sockaddr_in *)&storage;
        memcpy(bytes, &address->sin_addr, 4);
        *address_length = 4;
        *port = ntohs(address->sin_port);
    } else {
        struct sockaddr_in6 *address = (struct sockaddr_in6 *)&storage;
        memcpy(bytes, &address->sin6_addr, 16);
        *address_length = 16;
        *port = ntohs(address->sin6_port);
    }
    return count;
}

int gantry_inet_port(int socket) {
    struct sockaddr_storage storage;
    socklen_t length = sizeof storage;
    if (getsockname(socket, (struct sockaddr *)&storage, &length) < 0) return -1;
    if (storage.ss_family == AF_INET) return ntohs(((struct sockaddr_in *)&storage)->sin_port);
    return ntohs(((struct sockaddr_in6 *)&storage)->sin6_port);
}

int gantry_socket_error(int socket) {
    int error = 0;
    socklen_t length = sizeof error;
    return getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &length) < 0 ? -1 : error;
}
