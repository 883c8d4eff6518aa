import Synchronization
import TritCore

#if canImport(Glibc)
  @preconcurrency import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The sockets of a kernel and all who are connected to them: one thread reads, any thread sends.
///
/// No peer can stop or fill the kernel. Nothing that is sent waits for a peer: what one does not
/// read is kept up to a limit; beyond it a subscriber misses messages, as with ZeroMQ's high-water
/// mark, and others are closed. What comes is bounded for each message, for each connection, and
/// for all connections together.
final class ZMTPServer: @unchecked Sendable {
  /// Where a server's bounds lie.
  struct Bounds: Sendable {
    /// Connections of one socket.
    var connections = 64
    /// Bytes that wait for one peer.
    var waiting = 64 << 20
    /// Bytes of messages that are not whole yet, of all peers.
    var held = 256 << 20
    /// Seconds for a handshake.
    var handshake = 10.0
  }

  private struct State: Sendable {
    var peers: [Int: ZMTPPeer] = [:]
    var isStopping = false
    /// Whether a byte already wakes the thread that reads.
    var isWoken = false
  }

  private let listeners: [ZMTPListener]
  private let state = Mutex(State())
  private let bounds: Bounds
  private let waking: (reading: Int32, writing: Int32)
  private var nextID = 1
  /// When listeners are looked at again: a machine that has no descriptors left must not be asked
  /// without end.
  private var acceptsFrom = 0.0

  /// Binds all sockets. Throws where one cannot be.
  init(
    ip: String, ports: [KernelChannel: Int], place: String, bounds: Bounds = Bounds()
  ) throws {
    self.bounds = bounds
    listeners = try KernelChannel.allCases.map {
      try ZMTPListener($0, ip: ip, port: ports[$0] ?? 0, place: place)
    }
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else {
      let number = errno
      throw LabError(
        .failure, "the kernel cannot have a pipe: \(SystemFailure.text(number))",
        advice: SystemFailure.advice(number, otherwise: "start it again"))
    }
    for end in ends {
      _ = fcntl(end, F_SETFD, FD_CLOEXEC)
      _ = fcntl(end, F_SETFL, fcntl(end, F_GETFL) | O_NONBLOCK)
    }
    waking = (ends[0], ends[1])
  }

  deinit {
    for end in [waking.reading, waking.writing] { close(end) }
  }

  /// The ports that are bound.
  var ports: [KernelChannel: Int] {
    Dictionary(uniqueKeysWithValues: listeners.map { ($0.channel, $0.port) })
  }

  // MARK: Sending, by any thread

  /// Sends a message to one peer. One that is gone does not get it.
  func send(_ parts: [[UInt8]], to peer: Int) {
    let bytes = ZMTPFrame.message(parts)
    state.withLock { state in
      guard let peer = state.peers[peer] else { return }
      post(bytes, to: peer, &state)
    }
  }

  /// Sends a message to all who subscribed to its first part.
  func publish(_ parts: [[UInt8]]) {
    let topic = parts.first ?? []
    let bytes = ZMTPFrame.message(parts)
    state.withLock { state in
      for peer in state.peers.values where peer.channel == .iopub && peer.wants(topic) {
        post(bytes, to: peer, &state)
      }
    }
  }

  private func post(_ bytes: [UInt8], to peer: ZMTPPeer, _ state: inout State) {
    guard peer.waitingBytes + bytes.count <= bounds.waiting || !peer.hasWaiting else {
      if peer.channel != .iopub { peer.isBroken = true }
      return wake(&state)
    }
    let isIdle = !peer.hasWaiting
    peer.enqueue(bytes)
    // Most messages go at once; the rest goes when the peer reads.
    if isIdle { peer.flush() }
    if peer.hasWaiting || peer.isBroken { wake(&state) }
  }

  // MARK: The thread that reads

  /// Reads until `stop`, on the calling thread. `receive` gets every message of the routers, and
  /// must not wait; `isBusy` says whether a socket is left alone for now; `tick` is called about
  /// once a second.
  func run(
    receive: (KernelChannel, Int, [[UInt8]]) -> Void, isBusy: (KernelChannel) -> Bool,
    tick: () -> Void
  ) {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
    defer { buffer.deallocate() }
    var stopped: Double?
    var ticked = MonotonicClock.seconds()
    while true {
      let now = MonotonicClock.seconds()
      let (isStopping, isEmpty) = state.withLock { state in
        (state.isStopping, state.peers.values.allSatisfy { !$0.hasWaiting || $0.isBroken })
      }
      if isStopping {
        stopped = stopped ?? now
        // Answers get a moment to be read.
        if isEmpty || now - (stopped ?? now) > 1 { break }
      }
      if now - ticked >= 1 {
        ticked = now
        tick()
      }
      round(buffer, now: now, receive, isBusy)
    }
    closeAll()
  }

  /// Ends `run` once what waits is sent, or a second is over.
  func stop() {
    state.withLock { state in
      state.isStopping = true
      wake(&state)
    }
  }

  /// Looks at all sockets again.
  func wake() { state.withLock { wake(&$0) } }

  private func wake(_ state: inout State) {
    guard !state.isWoken else { return }
    state.isWoken = true
    var byte: UInt8 = 0
    _ = write(waking.writing, &byte, 1)
  }

  /// Waits until something can be done, and does it.
  private func round(
    _ buffer: UnsafeMutableRawBufferPointer, now: Double,
    _ receive: (KernelChannel, Int, [[UInt8]]) -> Void, _ isBusy: (KernelChannel) -> Bool
  ) {
    var polls = [pollfd(fd: waking.reading, events: Int16(POLLIN), revents: 0)]
    let isAccepting = now >= acceptsFrom
    for listener in listeners {
      polls.append(
        pollfd(fd: isAccepting ? listener.descriptor : -1, events: Int16(POLLIN), revents: 0))
    }
    let asked = state.withLock { state in
      state.peers.values.sorted { $0.id < $1.id }.map { peer in
        (peer: peer, writes: peer.hasWaiting)
      }
    }
    for (peer, writes) in asked {
      let reads = !isBusy(peer.channel)
      polls.append(
        pollfd(
          fd: peer.descriptor, events: Int16((reads ? POLLIN : 0) | (writes ? POLLOUT : 0)),
          revents: 0))
    }
    poll(&polls, nfds_t(polls.count), isAccepting ? 1000 : 100)
    if polls[0].revents != 0 {
      var bytes = [UInt8](repeating: 0, count: 64)
      while Self.drain(waking.reading, &bytes) {}
      state.withLock { $0.isWoken = false }
    }
    for ((peer, _), poll) in zip(asked, polls[(1 + listeners.count)...]) {
      if poll.revents & Int16(POLLOUT) != 0 { state.withLock { _ in peer.flush() } }
      if poll.revents & ~Int16(POLLOUT) != 0 { read(peer, buffer, receive) }
    }
    sweep(MonotonicClock.seconds())
    // Last: who left makes room first, and no descriptor above is closed while it is looked at.
    for (listener, poll) in zip(listeners, polls[1...]) where poll.revents != 0 { accept(listener) }
  }

  private static func drain(_ descriptor: Int32, _ bytes: inout [UInt8]) -> Bool {
    #if canImport(Glibc)
      Glibc.read(descriptor, &bytes, bytes.count) > 0
    #else
      Darwin.read(descriptor, &bytes, bytes.count) > 0
    #endif
  }

  private func accept(_ listener: ZMTPListener) {
    while true {
      guard let descriptor = listener.accept() else {
        if errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS {
          acceptsFrom = MonotonicClock.seconds() + 0.2
        }
        return
      }
      let isTaken = state.withLock { state in
        guard hasRoom(listener.channel, &state) else { return false }
        let peer = ZMTPPeer(id: nextID, descriptor: descriptor, channel: listener.channel)
        nextID += 1
        state.peers[peer.id] = peer
        peer.enqueue(ZMTPFrame.greeting)
        peer.flush()
        return true
      }
      if !isTaken { close(descriptor) }
    }
  }

  /// Whether one more may connect. Where there are too many, those who left are let go first: a
  /// burst of short connections waits in the listener with their ends unseen.
  private func hasRoom(_ channel: KernelChannel, _ state: inout State) -> Bool {
    let standing = state.peers.values.filter { $0.channel == channel }
    guard standing.count >= bounds.connections else { return true }
    let gone = standing.filter(\.hasLeft)
    for peer in gone { remove(peer, &state) }
    return !gone.isEmpty
  }

  private func read(
    _ peer: ZMTPPeer, _ buffer: UnsafeMutableRawBufferPointer,
    _ receive: (KernelChannel, Int, [[UInt8]]) -> Void
  ) {
    guard let bytes = peer.receive(buffer) else { return markBroken(peer) }
    do {
      for event in try peer.decoder.take(bytes) {
        try handle(event, of: peer, receive)
      }
    } catch {
      markBroken(peer)
    }
  }

  private func handle(
    _ event: ZMTPDecoder.Event, of peer: ZMTPPeer,
    _ receive: (KernelChannel, Int, [[UInt8]]) -> Void
  ) throws(ZMTPViolation) {
    switch event {
    case .greeted:
      let type = ("Socket-Type", peer.channel.type.rawValue)
      answer(
        peer, ZMTPFrame.ready(peer.channel.type == .publisher ? [type] : [type, ("Identity", "")]))
    case .ready: break
    case .command(let name, let data):
      switch name {
      case "SUBSCRIBE": try subscribe(peer, data)
      case "CANCEL": state.withLock { _ in peer.unsubscribe(data) }
      // Two bytes of how long it waits, then what the answer repeats, at most 16 bytes.
      case "PING": answer(peer, ZMTPFrame.command("PONG", Array(data.dropFirst(2).prefix(16))))
      case "ERROR": throw ZMTPViolation(what: "an error of the peer's own")
      default: break
      }
    case .message(let parts):
      switch peer.channel {
      case .heartbeat: answer(peer, ZMTPFrame.message(parts))
      case .iopub:
        guard let body = parts.first, let kind = body.first else { return }
        if kind == 1 { try subscribe(peer, Array(body.dropFirst())) }
        if kind == 0 { state.withLock { _ in peer.unsubscribe(Array(body.dropFirst())) } }
      case .shell, .control, .stdin: receive(peer.channel, peer.id, parts)
      }
    }
  }

  private func answer(_ peer: ZMTPPeer, _ bytes: [UInt8]) {
    state.withLock { state in post(bytes, to: peer, &state) }
  }

  private func subscribe(_ peer: ZMTPPeer, _ topic: [UInt8]) throws(ZMTPViolation) {
    guard state.withLock({ _ in peer.subscribe(topic) }) else {
      throw ZMTPViolation(what: "more topics than are taken")
    }
  }

  private func markBroken(_ peer: ZMTPPeer) { state.withLock { _ in peer.isBroken = true } }

  /// Closes who is broken, who does not end the handshake, and, where all hold too much, who holds
  /// most.
  private func sweep(_ now: Double) {
    state.withLock { state in
      var held = 0
      for peer in state.peers.values {
        held += peer.decoder.heldBytes
        if !peer.decoder.isOpen, now - peer.since > bounds.handshake { peer.isBroken = true }
      }
      if held > bounds.held {
        state.peers.values.max { $0.decoder.heldBytes < $1.decoder.heldBytes }?.isBroken = true
      }
      for peer in state.peers.values where peer.isBroken { remove(peer, &state) }
    }
  }

  private func remove(_ peer: ZMTPPeer, _ state: inout State) {
    close(peer.descriptor)
    state.peers[peer.id] = nil
  }

  private func closeAll() {
    state.withLock { state in
      for peer in state.peers.values {
        shutdown(peer.descriptor, Int32(SHUT_WR))
        close(peer.descriptor)
      }
      state.peers = [:]
    }
  }
}
