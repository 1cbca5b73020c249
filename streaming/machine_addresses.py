"""The network addresses of this machine. The only module that imports ifaddr."""


def usable() -> list[str]:
    """What other machines may reach this one by, which is also what ICE offers: no loopback, no link-local IPv6."""
    import ifaddr

    found = [ip.ip if isinstance(ip.ip, str) else ip.ip[0] for one in ifaddr.get_adapters() for ip in one.ips]
    return [address for address in found if not address.startswith(("127.", "fe80")) and address != "::1"]
