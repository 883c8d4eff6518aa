import TritCore

#if canImport(Glibc)
  @preconcurrency import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A bound TCP socket that accepts connections.
final class ZMTPListener {
  let channel: KernelChannel
  let descriptor: Int32
  /// The port; the one that the system chose where 0 was asked for.
  let port: Int

  /// Binds `port` of the machine's address `ip`. `place` is where both were read. Throws
  /// `cannotCreate` where that is not possible, `badData` where `ip` is no address of this machine.
  init(_ channel: KernelChannel, ip: String, port: Int, place: String) throws {
    self.channel = channel
    var hints = addrinfo()
    hints.ai_flags = AI_PASSIVE
    #if canImport(Glibc)
      hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    #else
      hints.ai_socktype = SOCK_STREAM
    #endif
    var found: UnsafeMutablePointer<addrinfo>?
    let code = getaddrinfo(ip == "*" ? nil : ip, "\(port)", &hints, &found)
    guard code == 0, let address = found else {
      throw LabError(
        .badData, "the address of the kernel is not known: \(String(cString: gai_strerror(code)))",
        at: place, expected: "an address of this machine, as 127.0.0.1", got: ip,
        advice:
          "start the kernel with an ip of this machine: jupyter lab --KernelManager.ip=127.0.0.1")
    }
    defer { freeaddrinfo(found) }
    let descriptor = socket(address.pointee.ai_family, address.pointee.ai_socktype, 0)
    guard descriptor >= 0 else { throw Self.refused(channel, ip, port, place) }
    var one: Int32 = 1
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
    // Cells that run in a child must not hold the port.
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
    guard bind(descriptor, address.pointee.ai_addr, address.pointee.ai_addrlen) == 0,
      listen(descriptor, 64) == 0
    else {
      let error = Self.refused(channel, ip, port, place)
      close(descriptor)
      throw error
    }
    self.descriptor = descriptor
    self.port = Self.port(of: descriptor) ?? port
  }

  deinit { close(descriptor) }

  /// The next connection that waits; nil where none does, or none can be taken.
  func accept() -> Int32? {
    #if canImport(Glibc)
      let peer = Glibc.accept(descriptor, nil, nil)
    #else
      let peer = Darwin.accept(descriptor, nil, nil)
    #endif
    guard peer >= 0 else { return nil }
    _ = fcntl(peer, F_SETFD, FD_CLOEXEC)
    _ = fcntl(peer, F_SETFL, fcntl(peer, F_GETFL) | O_NONBLOCK)
    var one: Int32 = 1
    setsockopt(
      peer, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
    return peer
  }

  private static func port(of descriptor: Int32) -> Int? {
    var address = sockaddr_storage()
    var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let port = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        getsockname(descriptor, $0, &size) == 0
      }
        // The port lies at the same place in an address of IPv4 and of IPv6.
        ? pointer.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { $0.pointee.sin_port } : nil
    }
    return port.map { Int(UInt16(bigEndian: $0)) }
  }

  private static func refused(
    _ channel: KernelChannel, _ ip: String, _ port: Int, _ place: String
  ) -> LabError {
    let number = errno
    let advice =
      switch number {
      case EADDRINUSE:
        "another program has the port: end it (ss -ltnp shows it), or let Jupyter start the kernel, "
          + "which chooses free ports"
      case EADDRNOTAVAIL: "this machine has no such address: use 127.0.0.1"
      case EACCES: "ports below 1024 are the system's: choose higher ones"
      default: SystemFailure.advice(number, otherwise: "start the kernel again")
      }
    return LabError(
      .cannotCreate, "the \(channel) socket cannot be bound: \(SystemFailure.text(number))",
      at: place, expected: "a free port", got: "\(ip):\(port)", advice: advice)
  }
}
