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

int gantry_netlink_join(int socket, int group) {
    return setsockopt(socket, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group);
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

static void tell(const struct sockaddr_storage *storage, uint8_t bytes[16], int *length, uint16_t *port) {
    if (storage->ss_family == AF_INET) {
        const struct sockaddr_in *address = (const struct sockaddr_in *)storage;
        memcpy(bytes, &address->sin_addr, 4);
        *length = 4;
        *port = ntohs(address->sin_port);
    } else {
        const struct sockaddr_in6 *address = (const struct sockaddr_in6 *)storage;
        memcpy(bytes, &address->sin6_addr, 16);
        *length = 16;
        *port = ntohs(address->sin6_port);
    }
}

int gantry_inet_tell_local(int socket) {
    int on = 1, family = 0;
    socklen_t length = sizeof family;
    if (getsockopt(socket, SOL_SOCKET, SO_DOMAIN, &family, &length) < 0) return -1;
    if (family == AF_INET) return setsockopt(socket, IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
    return setsockopt(socket, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on);
}

// Aligned as the headers in it must be.
union packet_information {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

ssize_t gantry_inet_receive_from(
    int socket, void *data, size_t capacity, uint8_t bytes[16], int *address_length, uint16_t *port,
    uint8_t local[16], uint32_t *interface) {
    struct sockaddr_storage storage;
    struct iovec part = {.iov_base = data, .iov_len = capacity};
    union packet_information information;
    struct msghdr message = {
        .msg_name = &storage, .msg_namelen = sizeof storage, .msg_iov = &part, .msg_iovlen = 1,
        .msg_control = &information, .msg_controllen = sizeof information};
    ssize_t count = recvmsg(socket, &message, 0);
    if (count < 0) return count;
    tell(&storage, bytes, address_length, port);
    memset(local, 0, 16);
    *interface = 0;
    for (struct cmsghdr *one = CMSG_FIRSTHDR(&message); one; one = CMSG_NXTHDR(&message, one)) {
        if (one->cmsg_level == IPPROTO_IP && one->cmsg_type == IP_PKTINFO) {
            struct in_pktinfo told;
            memcpy(&told, CMSG_DATA(one), sizeof told);
            // The machine's own address, also of what was sent to all.
            memcpy(local, &told.ipi_spec_dst, 4);
            *interface = (uint32_t)told.ipi_ifindex;
        } else if (one->cmsg_level == IPPROTO_IPV6 && one->cmsg_type == IPV6_PKTINFO) {
            struct in6_pktinfo told;
            memcpy(&told, CMSG_DATA(one), sizeof told);
            if (!IN6_IS_ADDR_MULTICAST(&told.ipi6_addr)) memcpy(local, &told.ipi6_addr, 16);
            *interface = told.ipi6_ifindex;
        }
    }
    return count;
}

static void attach(
    struct msghdr *message, union packet_information *information, int level, int type, const void *told,
    size_t size) {
    information->header.cmsg_level = level;
    information->header.cmsg_type = type;
    information->header.cmsg_len = CMSG_LEN(size);
    memcpy(CMSG_DATA(&information->header), told, size);
    message->msg_control = information;
    message->msg_controllen = CMSG_SPACE(size);
}

ssize_t gantry_inet_send_to(
    int socket, const void *data, size_t count, const uint8_t *address, int address_length, uint16_t port,
    const uint8_t *local, uint32_t interface) {
    struct sockaddr_storage storage;
    socklen_t length = fill(&storage, address, address_length, port);
    struct iovec part = {.iov_base = (void *)data, .iov_len = count};
    union packet_information information = {0};
    struct msghdr message = {.msg_name = &storage, .msg_namelen = length, .msg_iov = &part, .msg_iovlen = 1};
    if (local && address_length == 4) {
        struct in_pktinfo told = {.ipi_ifindex = (int)interface};
        memcpy(&told.ipi_spec_dst, local, 4);
        attach(&message, &information, IPPROTO_IP, IP_PKTINFO, &told, sizeof told);
    } else if (local) {
        struct in6_pktinfo told = {.ipi6_ifindex = interface};
        memcpy(&told.ipi6_addr, local, 16);
        attach(&message, &information, IPPROTO_IPV6, IPV6_PKTINFO, &told, sizeof told);
    }
    return sendmsg(socket, &message, MSG_NOSIGNAL);
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
