import Foundation
import Testing
import TritLab
import _TritTestSupport

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Runs with plug-ins have two processes. However one of them ends, the other one ends too, nothing
/// is half written, the exit code says what happened, and the same command goes on from there.
@Suite struct WatchedRunTests {
  let folder: TemporaryFolder
  private let cache: String
  private let mark: String

  /// `steady`, and `odd`, which after so many calls writes the number of its process into the file
  /// that TEST_MARK names and does what TEST_THEN says; the laws are checked without it.
  private static let source = """
    #include <stdio.h>
    #include <stdlib.h>
    #include <string.h>
    #include <unistd.h>
    #include "trit_kernel.h"
    static volatile int calls;
    static int32_t dot(const uint8_t *codes, const int8_t *x, size_t n) {
      int32_t s = 0;
      for (size_t b = 0; b < n; b += 128)
        for (size_t i = 0; i < 32; i++)
          for (int j = 0; j < 4; j++)
            s += ((codes[b / 4 + i] >> (2 * j)) & 3) * x[b + i + 32 * j];
      return s;
    }
    static int32_t odd(const uint8_t *codes, const int8_t *x, size_t n) {
      const char *then = getenv("TEST_THEN"), *mark = getenv("TEST_MARK");
      if (!then || ++calls <= 2000) return dot(codes, x, n);
      if (calls == 2001) {
        FILE *file = fopen(mark, "w");
        fprintf(file, "%d\\n", getpid());
        fclose(file);
      }
      if (!strcmp(then, "exit")) exit(0);
      if (!strcmp(then, "_exit")) _exit(3);
      if (!strcmp(then, "slow")) usleep(2000);
      while (!strcmp(then, "hang")) calls = 9999;
      return dot(codes, x, n);
    }
    TRIT_KERNELS({.name = "steady", .dot = dot}, {.name = "odd", .dot = odd})

    """

  init() throws {
    folder = try TemporaryFolder("watched")
    cache = folder.file("cache")
    mark = folder.file("mark")
    try folder.write(Self.source, to: "both.c")
    try folder.write(
      """
      name: small
      plugins: [both.c]
      model: builtin:tiny-fp
      reference: none
      base: {quantizer: absmean, activations: int8}
      sweep: {kernel: [steady, odd, reference]}
      measure:
        generate: {prompts: [Once], tokens: 4}
      """, to: "small.yaml")
    // The laws pass, and their verdict is remembered.
    let list = try CommandRunner.run(words + ["--list"], environment: ["XDG_CACHE_HOME": cache])
    try #require(list.status == 0, "\(list)")
  }

  private var words: [String] {
    ["run", folder.file("small.yaml"), "--allow-plugins", "-o", folder.file("out"), "-t", "1"]
  }

  private func start(_ then: String, _ more: [String] = []) throws -> RunningCommand {
    try RunningCommand(
      words + more,
      environment: ["XDG_CACHE_HOME": cache, "TEST_THEN": then, "TEST_MARK": mark])
  }

  /// The number of the inner process, once `odd` is at work in it.
  private func inner(of running: RunningCommand) throws -> Int32 {
    var number: Int32?
    let came = running.wait {
      let text = try? String(contentsOfFile: mark, encoding: .utf8)
      number = text.flatMap { $0.hasSuffix("\n") ? Int32($0.dropLast()) : nil }
      return number != nil
    }
    #expect(came, "\(running.err)")
    let found = try #require(number)
    #expect(found != running.identifier)
    return found
  }

  /// Whether the process has ended; one that nobody has waited for has.
  private func isGone(_ process: Int32) -> Bool {
    if kill(process, 0) != 0 { return errno == ESRCH }
    let stat = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)
    return stat.map { $0.contains(") Z ") } ?? false
  }

  /// Waits for the end of a process that has been told to end by whatever means; false after half a
  /// minute.
  private func ends(_ process: Int32) -> Bool {
    for _ in 0..<3000 {
      if isGone(process) { return true }
      usleep(10_000)
    }
    return false
  }

  /// The newest run's records by label, every line of them whole.
  private func records() throws -> [String: JSONValue] {
    let parent = folder.file("out/small")
    let names = try FileManager.default.contentsOfDirectory(atPath: parent).sorted()
    let path = parent + "/" + (try #require(names.last)) + "/results.jsonl"
    let text = try String(contentsOfFile: path, encoding: .utf8)
    #expect(text.isEmpty || text.hasSuffix("\n"))
    return Dictionary(
      try text.split(separator: "\n").map {
        let record = try JSONReader.read(String($0))
        return (record["label"]?.string ?? "", record)
      }, uniquingKeysWith: { $1 })
  }

  private func statuses() throws -> [String: String] {
    try records().mapValues { $0["status"]?.string ?? "" }
  }

  /// The same command without the fault ends well, in the folder of the run that did not, and
  /// nothing of that is left half written.
  private func goesOn(
    _ before: [String: String], sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let runs = try FileManager.default.contentsOfDirectory(atPath: folder.file("out/small"))
    let rest = try CommandRunner.run(words, environment: ["XDG_CACHE_HOME": cache])
    #expect(rest.status == 0, "\(rest)", sourceLocation: sourceLocation)
    for (label, status) in before where status == "finished" {
      #expect(rest.err.contains("\(label): known from"), "\(rest)", sourceLocation: sourceLocation)
    }
    #expect(rest.err.contains("odd: finished"), "\(rest)", sourceLocation: sourceLocation)
    #expect(
      try statuses() == ["steady": "finished", "odd": "finished", "reference": "finished"],
      sourceLocation: sourceLocation)
    let all =
      FileManager.default.enumerator(atPath: folder.file("out"))?
      .compactMap { $0 as? String } ?? []
    #expect(
      all.filter { $0.contains(".partial-") }.isEmpty, "\(all)", sourceLocation: sourceLocation)
    // A run that was stopped is gone on with; one whose variant failed had come to its end.
    let isEnded = before["odd"] == "failed"
    let now = try FileManager.default.contentsOfDirectory(atPath: folder.file("out/small"))
    #expect(
      now.count == runs.count + (isEnded ? 1 : 0), "\(now)", sourceLocation: sourceLocation)
  }

  @Test(arguments: [SIGINT, SIGTERM]) func aRequestToStop(number: Int32) throws {
    let running = try start("slow")
    let inner = try inner(of: running)
    running.send(number)
    let result = running.end()
    #expect(result.status == 128 + number, "\(result)")
    #expect(isGone(inner))
    let before = try statuses()
    #expect(before["steady"] == "finished" && before["reference"] == nil, "\(before)")
    try goesOn(before)
  }

  /// A plug-in that does not come back cannot be asked: it is ended, and what there is stays.
  @Test func aRequestToStopAPlugInThatHangs() throws {
    let running = try start("hang", ["--json"])
    let inner = try inner(of: running)
    running.send(SIGINT)
    let result = running.end()
    #expect(result.status == 130, "\(result)")
    #expect(result.err.contains("a plug-in did not stop by itself"), "\(result)")
    #expect(result.err.split(separator: "\n").last?.hasPrefix("{") == true, "\(result)")
    #expect(ends(inner))
    let before = try statuses()
    #expect(before["steady"] == "finished" && before["odd"] == nil, "\(before)")
    try goesOn(before)
  }

  #if os(Linux)
    @Test func twoRequestsEndBothAtOnce() throws {
      let running = try start("hang")
      let inner = try inner(of: running)
      running.send(SIGINT)
      running.send(SIGINT)
      #expect(running.end().status == 130)
      #expect(ends(inner))
      try goesOn(try statuses())
    }

    /// The outer process cannot say anything any more; the system ends the inner one with it.
    @Test(arguments: ["slow", "hang"]) func theOuterProcessIsKilled(then: String) throws {
      let running = try start(then)
      let inner = try inner(of: running)
      running.send(SIGKILL)
      #expect(running.end().status == 128 + SIGKILL)
      #expect(ends(inner))
      let before = try statuses()
      #expect(before["steady"] == "finished" && before["odd"] == nil, "\(before)")
      try goesOn(before)
    }
  #endif

  /// As the system does where memory is short: the variant at work has failed, the others go on.
  @Test func theInnerProcessIsKilled() throws {
    let running = try start("slow")
    let inner = try inner(of: running)
    #expect(kill(inner, SIGKILL) == 0)
    let result = running.end()
    #expect(result.status == 1, "\(result)")
    let before = try statuses()
    #expect(before == ["steady": "finished", "odd": "failed", "reference": "finished"])
    let error = try records()["odd"]?["error"]?.string ?? ""
    #expect(error.contains("both.c") && error.contains("SIGKILL"), "\(error)")
    #expect(ends(inner))
    try goesOn(before)
  }

  /// `exit` of foreign code looks like the end of the program, and is none.
  @Test(arguments: [("exit", 0), ("_exit", 3)]) func aPlugInThatExits(then: String, code: Int)
    throws
  {
    let running = try start(then)
    let inner = try inner(of: running)
    let result = running.end()
    #expect(result.status == 1, "\(result)")
    let before = try statuses()
    #expect(before == ["steady": "finished", "odd": "failed", "reference": "finished"])
    let error = try records()["odd"]?["error"]?.string ?? ""
    #expect(error.contains("ended the process (exit code \(code))"), "\(error)")
    #expect(isGone(inner))
    try goesOn(before)
  }
}
