import Foundation
import Testing
import TritLab
import _TritTestSupport

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// With `--json` the last line of standard error is an object however a command fails: also where
/// nobody catches the error, and a handler of a signal ends the process.
@Suite struct EndTextTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder("ends") }

  /// The object in the last line of `err`, which says with what code the process ended.
  private func document(
    _ err: String, code: Int32, sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> [String: Any] {
    let line = try #require(
      err.split(separator: "\n").last, "\(err)", sourceLocation: sourceLocation)
    let document = try #require(
      try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any], "\(err)",
      sourceLocation: sourceLocation)
    #expect(
      document["exit_code"] as? Int == Int(code), "\(err)", sourceLocation: sourceLocation)
    let error = try #require(
      document["error"] as? [String: Any], "\(err)", sourceLocation: sourceLocation)
    #expect(
      Set(error.keys) == ["kind", "code", "what", "place", "expected", "got", "advice"],
      sourceLocation: sourceLocation)
    return error
  }

  /// A command that takes long, once it computes.
  private func long(_ more: [String] = [], in model: String? = nil) throws -> RunningCommand {
    let model = try model ?? TinyCheckpoint.write(.bitnetOnline, in: folder)
    let text = try folder.write(String(repeating: "once upon a time ", count: 200_000), to: "t.txt")
    let running = try RunningCommand(
      ["perplexity", "-m", model, "-f", text, "-c", "64", "-t", "1", "--kernel", "reference"] + more
    )
    #expect(running.wait { running.err.contains("protocol llama.cpp") })
    return running
  }

  @Test func aFileThatIsCutShort() throws {
    let model = try TinyCheckpoint.write(.bitnetOnline, in: folder)
    let path = model + "/model.safetensors"
    let running = try long(["--json"], in: model)
    #expect(truncate(path, 0) == 0)
    let result = running.end()
    #expect(result.status == 65, "\(result)")
    let error = try document(result.err, code: 65)
    #expect(error["kind"] as? String == "bad_data" && error["place"] as? String == path)
    #expect((error["what"] as? String)?.contains("cut short") == true)
  }

  @Test(arguments: [SIGINT, SIGTERM]) func aRequestToStop(number: Int32) throws {
    for times in 1...2 {
      let running = try long(["--json"])
      for _ in 0..<times { running.send(number) }
      let result = running.end()
      #expect(result.status == 128 + number, "\(result)")
      #expect(try document(result.err, code: 128 + number)["kind"] as? String == "interrupted")
    }
    // Without the option a second request ends without a word, as before.
    let running = try long()
    running.send(number)
    running.send(number)
    let result = running.end()
    #expect(result.status == 128 + number && !result.err.contains("{"), "\(result)")
  }

  /// A crash of the program itself, here by a signal from outside. SIGBUS is first a matter
  /// of mapped files, and SIGABRT from outside may be held back by a mask that was inherited;
  /// abort() takes that off.
  @Test(arguments: [SIGSEGV, SIGILL, SIGTRAP, SIGFPE])
  func aCrash(number: Int32) throws {
    let running = try long(["--json"])
    running.send(number)
    let result = running.end()
    #expect(result.status == 128 + number, "\(result)")
    let error = try document(result.err, code: 128 + number)
    #expect(error["kind"] as? String == "internal_error")
    #expect((error["what"] as? String)?.contains("crashed (SIG") == true)
  }

  #if os(Linux)
    @Test(
      .disabled(if: isSanitized, "a sanitizer maps terabytes"),
      arguments: [160, 200, 240, 280, 400])
    func refusedMemory(mebibytes: Int) throws {
      let model = try TinyCheckpoint.write(.bitnetOnline, in: folder)
      for words in ["generate -m '\(model)' -p a -n 2 -t 2 --kernel i2_s -c 400000", "list"] {
        let result = try CommandRunner.shell(
          "(ulimit -v \(mebibytes << 10); exec timeout -k 5 60 $TRIT \(words) --json > /dev/null)")
        // The loader itself needs some 150 MiB: below, it speaks for itself.
        if result.status == 127 || result.status == 0 { continue }
        _ = try document(result.err, code: result.status)
      }
    }
  #endif
}
