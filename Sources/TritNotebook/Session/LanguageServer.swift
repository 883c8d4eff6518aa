import Foundation
import TritCore
import TritPlugins
internal import TritLab

#if canImport(Glibc)
  @preconcurrency import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A server of the Language Server Protocol, as a child: questions over its standard input, answers
/// over its standard output. Whoever asks waits so long and no longer; a server that grows beyond
/// its memory, or dies, is ended, and answers nothing more.
///
/// Source: Language Server Protocol 3.17, "Base Protocol".
final class LanguageServer: @unchecked Sendable {
  private let process: Int32
  private let input: Int32
  private let output: Int32
  /// Bytes of resident memory.
  private let memory: Int
  private let condition = NSCondition()
  private var answers: [Int: JSONValue] = [:]
  /// Questions that nobody waits for any more.
  private var abandoned: Set<Int> = []
  private var count = 0
  private var isEnded = false

  /// The largest message that is read.
  private static let mostBytes = 64 << 20

  /// Starts `program`, with these variables beside those of this process. It is ended where it
  /// takes more than `memory` bytes. Throws what the system says.
  init(program: String, memory: Int, environment: [String: String] = [:]) throws {
    self.memory = memory
    var start = ProcessStart(program, [])
    start.environment = environment
    start.silent = [STDERR_FILENO]
    start.isGroup = true
    func refused(_ number: Int32) -> LabError {
      LabError(
        .failure, "the program does not start: \(SystemFailure.text(number))", at: program,
        advice: SystemFailure.advice(number, otherwise: "check that it can be run by itself"))
    }
    var (first, second): ([Int32], [Int32]) = ([-1, -1], [-1, -1])
    let isPiped = pipe(&first) == 0 && pipe(&second) == 0
    let number = errno
    // Out of the way of the numbers that the child has them under.
    let ends = (first + second).map { $0 < 0 ? -1 : fcntl($0, F_DUPFD_CLOEXEC, 20) }
    for end in first + second where end >= 0 { close(end) }
    func closeAll() { for end in ends where end >= 0 { close(end) } }
    guard isPiped, ends.allSatisfy({ $0 >= 0 }) else {
      closeAll()
      throw refused(number)
    }
    start.descriptors = [(ends[0], STDIN_FILENO), (ends[3], STDOUT_FILENO)]
    guard case .success(let id) = start.start() else {
      closeAll()
      throw refused(EIO)
    }
    process = id
    close(ends[0])
    close(ends[3])
    (input, output) = (ends[1], ends[2])
    _ = fcntl(input, F_SETFL, fcntl(input, F_GETFL) | O_NONBLOCK)
    Thread.detachNewThread { [self] in readAnswers() }
  }

  /// Whether it still answers.
  var isAlive: Bool { locked { !isEnded } }

  /// Bytes of memory that it holds.
  var residentBytes: Int {
    guard let text = WholeFile.text("/proc/\(process)/statm") else { return 0 }
    let fields = text.split(separator: " ")
    return fields.count > 1 ? (Int(fields[1]) ?? 0) * Int(sysconf(Int32(_SC_PAGESIZE))) : 0
  }

  /// Tells it something.
  func notify(_ method: String, _ parameters: JSONValue) {
    send(["jsonrpc": "2.0", "method": .string(method), "params": parameters])
  }

  /// Asks, and waits at most until `deadline`; nil where no answer has come by then, or an error.
  func ask(_ method: String, _ parameters: JSONValue, until deadline: Date) -> JSONValue? {
    if residentBytes > memory { end() }
    let number = locked { () -> Int in
      count += 1
      return count
    }
    send([
      "jsonrpc": "2.0", "id": JSONValue(number), "method": .string(method), "params": parameters,
    ])
    condition.lock()
    defer { condition.unlock() }
    while answers[number] == nil, !isEnded {
      guard condition.wait(until: deadline) else { break }
    }
    if let answer = answers.removeValue(forKey: number) { return answer["result"] }
    abandoned.insert(number)
    return nil
  }

  /// Ends it, and what it has started.
  func end() {
    let isFirst = locked { () -> Bool in
      defer {
        isEnded = true
        condition.broadcast()
      }
      return !isEnded
    }
    guard isFirst else { return }
    kill(-process, SIGKILL)
    _ = ChildProcess.reap(process)
    close(input)
  }

  private func locked<Result>(_ body: () -> Result) -> Result {
    condition.lock()
    defer { condition.unlock() }
    return body()
  }

  // MARK: Messages

  private func send(_ message: JSONValue) {
    let body = Array(JSONWriter.text(message).utf8)
    let bytes = Array("Content-Length: \(body.count)\r\n\r\n".utf8) + body
    let isSent = locked { isEnded || write(bytes) }
    if !isSent { end() }
  }

  /// Milliseconds that a server may leave a message unread.
  private static let patience: Int32 = 500

  /// Writes all of it; false where the server does not read.
  private func write(_ bytes: [UInt8]) -> Bool {
    var rest = bytes[...]
    while !rest.isEmpty {
      var end = pollfd(fd: input, events: Int16(POLLOUT), revents: 0)
      guard poll(&end, 1, Self.patience) == 1, end.revents & Int16(POLLOUT) != 0 else {
        return false
      }
      let count = rest.withUnsafeBytes { Foundation.write(input, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR || errno == EAGAIN { continue }
      guard count > 0 else { return false }
      rest = rest.dropFirst(count)
    }
    return true
  }

  /// Reads until the server ends: a thread of its own.
  private func readAnswers() {
    var pending: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 1 << 16)
    defer { close(output) }
    while true {
      let count = read(output, &piece, piece.count)
      if count < 0, errno == EINTR { continue }
      guard count > 0, pending.count < Self.mostBytes else { break }
      pending += piece[..<count]
      while let message = Self.next(&pending) { take(message) }
    }
    end()
  }

  /// The first whole message, which is taken off; nil where there is none yet.
  static func next(_ pending: inout [UInt8]) -> JSONValue? {
    while true {
      let mark = Array("\r\n\r\n".utf8)
      guard let end = pending.firstRange(of: mark) else { return nil }
      let head = String(decoding: pending[..<end.lowerBound], as: UTF8.self)
      let length = head.split(separator: "\r\n").lazy.compactMap { line -> Int? in
        let parts = line.split(separator: ":", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "content-length" else { return nil }
        return Int(parts[1].trimmingCharacters(in: .whitespaces))
      }.first
      guard let length, length >= 0, length < mostBytes else {
        pending.removeAll()
        return nil
      }
      guard pending.count - end.upperBound >= length else { return nil }
      let body = String(
        decoding: pending[end.upperBound..<(end.upperBound + length)], as: UTF8.self)
      pending.removeSubrange(..<(end.upperBound + length))
      if let message = try? JSONReader.read(body) { return message }
    }
  }

  private func take(_ message: JSONValue) {
    guard let id = message["id"] else { return }
    // What the server asks for is not there: it goes on without.
    if message["method"] != nil {
      return send(["jsonrpc": "2.0", "id": id, "result": .null])
    }
    guard let number = id.integer else { return }
    locked {
      if abandoned.remove(number) == nil { answers[number] = message }
      condition.broadcast()
    }
  }
}
