import Foundation
import Testing
import TritFormats
import TritJupyter

/// Peers that break the protocol lose their connection, and nobody else notices.
@Suite(.timeLimit(.minutes(2))) struct HostilePeerTests {
  private static let greeting = ZMTPFrame.greeting

  private static func changed(_ index: Int, _ byte: UInt8) -> [UInt8] {
    var bytes = greeting
    bytes[index] = byte
    return bytes
  }

  private static func ready(_ type: String) -> [UInt8] {
    greeting + ZMTPFrame.ready([("Socket-Type", type)])
  }

  static let faults: [(String, [UInt8])] = [
    ("HTTP", Array("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8)),
    ("TLS", [0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc]),
    ("ZMTP 1", [0x01, 0x00]),
    ("ZMTP 2", Array(greeting.prefix(10)) + [1, 5, 0, 0]),
    ("no end of the signature", changed(9, 0)),
    ("PLAIN", Array(greeting.prefix(12)) + Array("PLAIN".utf8) + [UInt8](repeating: 0, count: 47)),
    ("CURVE", Array(greeting.prefix(12)) + Array("CURVE".utf8) + [UInt8](repeating: 0, count: 47)),
    ("message before READY", greeting + ZMTPFrame.message([[1]])),
    ("another command first", greeting + ZMTPFrame.command("HELLO", [])),
    ("a command without a name", greeting + [4, 0]),
    ("a command whose name is too long", greeting + [4, 2, 200, 65]),
    ("READY without a type", greeting + ZMTPFrame.command("READY", [])),
    ("READY that is cut", greeting + ZMTPFrame.command("READY", [11, 83])),
    (
      "READY with a giant property",
      greeting + ZMTPFrame.command("READY", [1, 65, 0xff, 0xff, 0xff, 0xff])
    ),
    ("a subscriber of a router", ready("SUB")),
    ("flags that do not exist", ready("DEALER") + [0xf8, 0]),
    ("a command with more parts", ready("DEALER") + [5, 1, 0]),
    ("a frame of 2⁶³ bytes", ready("DEALER") + [2, 0x80] + [UInt8](repeating: 0, count: 7)),
    ("a frame of 1 GiB", ready("DEALER") + [2, 0, 0, 0, 0, 0x40, 0, 0, 0]),
    ("too many parts", ready("DEALER") + (0..<100).flatMap { _ -> [UInt8] in [1, 0] }),
    (
      "a giant command", ready("DEALER") + [6, 0, 0, 0, 0, 0, 1, 0, 0]
    ),
  ]

  @Test(arguments: faults) func losesItsConnectionAlone(name: String, bytes: [UInt8]) throws {
    let client = try TestClient()
    let port = client.kernel.ports[.shell] ?? 0
    // At once, and one byte after the other.
    let peer = try TestPeer(port: port)
    peer.send(bytes)
    #expect(peer.isClosed(), "\(name)")
    let slow = try TestPeer(port: port)
    for byte in bytes { slow.send([byte]) }
    #expect(slow.isClosed(), "\(name), byte by byte")
    #expect(try client.run("value 1").reply["status"]?.string == "ok")
  }

  @Test func messagesMayComeInPiecesOfOneByte() throws {
    let client = try TestClient()
    let (id, parts) = client.request("execute_request", ["code": "value 7"])
    for byte in ZMTPFrame.message([Array("slow".utf8)] + parts) { client.shell.send([byte]) }
    let reply = try client.reply(to: id)
    #expect(reply.content["status"]?.string == "ok" && reply.identities == [Array("slow".utf8)])
  }

  @Test func peersThatLeaveInTheMiddleAreForgotten() throws {
    let client = try TestClient()
    let port = client.kernel.ports[.shell] ?? 0
    for count in [0, 1, 10, 63, 64, 70, 100] {
      for _ in 0..<20 {
        let peer = try TestPeer(port: port)
        peer.send(Array((Self.ready("DEALER") + [1, 200, 1, 2, 3]).prefix(count)))
      }
    }
    // 140 connections came and went, more than there may be at a time.
    let late = try TestPeer(port: port, type: "DEALER")
    let id = try client.send("is_complete_request", ["code": "x"], on: late)
    #expect(try client.reply(to: id, on: late).content["status"]?.string == "complete")
  }

  /// A burst of connections, more than may stand there, that came and went before the kernel looked
  /// at one of them.
  @Test(arguments: [0, 64, 90]) func whoLeftMakesRoom(sent: Int) throws {
    let client = try TestClient()
    let port = client.kernel.ports[.shell] ?? 0
    let bytes = Array((Self.ready("DEALER") + [1, 200, 1, 2, 3]).prefix(sent))
    for _ in 0..<5 {
      var burst = try (0..<100).map { _ in try TestPeer(port: port) }
      for peer in burst { peer.send(bytes) }
      burst = []
      let late = try TestPeer(port: port, type: "DEALER")
      let id = try client.send("is_complete_request", ["code": "x"], on: late)
      #expect(try client.reply(to: id, on: late).content["status"]?.string == "complete")
    }
  }

  @Test func onlySoManyMayStandThere() throws {
    let client = try TestClient()
    let port = client.kernel.ports[.shell] ?? 0
    let standing = try (0..<64).map { _ in try TestPeer(port: port) }
    // With the client's own there are 65: the last one was let go.
    let last = try #require(standing.last)
    #expect(last.isClosed())
    #expect(try client.run("value 1").reply["status"]?.string == "ok")
  }

  @Test func aSubscriberThatNeverReadsStopsNobody() throws {
    let client = try TestClient()
    let deaf = try TestClient.subscriber(client.kernel)
    // 120 MB for somebody who does not read: it must neither wait nor be kept.
    for _ in 0..<30 {
      let (reply, messages) = try client.run("block 4000000")
      #expect(reply["status"]?.string == "ok")
      #expect(messages.contains { $0.type == "stream" })
    }
    _ = deaf
  }

  @Test func aClientThatNeverReadsAnswersIsLetGo() throws {
    let client = try TestClient()
    let greedy = try TestPeer(port: client.kernel.ports[.control] ?? 0, type: "DEALER")
    // Each answer repeats what stands before the message: 1 MiB.
    let big = [UInt8](repeating: 7, count: 1 << 20)
    for _ in 0..<100 {
      let (_, parts) = client.request("kernel_info_request", [:])
      greedy.send([big] + parts)
    }
    #expect(greedy.isClosed())
    #expect(try client.run("value 1").reply["status"]?.string == "ok")
  }

  @Test func theHeartbeatComesBackWhileACellRuns() throws {
    let client = try TestClient()
    try client.send("execute_request", ["code": "wait"])
    let heart = try TestPeer(port: client.kernel.ports[.heartbeat] ?? 0, type: "REQ")
    for beat in ["ping", "", String(repeating: "p", count: 1000)] {
      heart.send([[], Array(beat.utf8)])
      #expect(try heart.message() == [[], Array(beat.utf8)])
    }
    try client.send("interrupt_request", [:], on: client.control)
  }

  @Test func subscriptionsChooseByTheirBeginning() throws {
    let client = try TestClient()
    let peer = try TestPeer(port: client.kernel.ports[.iopub] ?? 0, type: "SUB")
    peer.send([[1] + Array("kernel.str".utf8)])
    // As a command, the form of ZMTP 3.1, and taken back.
    peer.send(ZMTPFrame.command("SUBSCRIBE", Array("kernel.status".utf8)))
    peer.send(ZMTPFrame.command("CANCEL", Array("kernel.status".utf8)))
    peer.send(ZMTPFrame.command("PING", [0, 10, 1, 2]))
    // The answer tells that all of them have been read.
    let (flags, body) = try peer.frame()
    #expect(flags == ZMTPFrame.command && body == [4] + Array("PONG".utf8) + [1, 2])
    _ = try client.run("value 1\nprint a\nvalue 2")
    let message = try peer.message()
    #expect(message[0] == Array("kernel.stream".utf8))
  }
}
