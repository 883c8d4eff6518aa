import Foundation
import Testing
import TritLab
import _TritTestSupport

/// `plugins:` of experiment files: who may run them, what of a record depends on them, and how a
/// run goes on where one of them crashes or hangs.
@Suite struct RunPluginTests {
  let folder: TemporaryFolder
  private let cache: String

  init() throws {
    folder = try TemporaryFolder("run-plugins")
    cache = folder.file("cache")
    try Self.kernel("mine").write(to: folder, "mine.c")
  }

  /// A kernel that is right for the laws; with the environment variable `variable` set it does
  /// `then` after so many calls, which the laws do not.
  private struct Source {
    let text: String
    func write(to folder: TemporaryFolder, _ name: String) throws {
      try folder.write(text, to: name)
    }
  }

  private static func kernel(_ name: String, variable: String = "", then: String = "") -> Source {
    let guardLine =
      variable.isEmpty
      ? "" : "if (getenv(\"\(variable)\") && ++calls > 2000) \(then)  // line 6"
    return Source(
      text: """
        #include <stdlib.h>
        #include "trit_kernel.h"
        static volatile int calls;
        static int32_t dot(const uint8_t *codes, const int8_t *x, size_t n) {
          int32_t s = 0 * calls;
          \(guardLine)
          for (size_t b = 0; b < n; b += 128)
            for (size_t i = 0; i < 32; i++)
              for (int j = 0; j < 4; j++)
                s += ((codes[b / 4 + i] >> (2 * j)) & 3) * x[b + i + 32 * j];
          return s;
        }
        TRIT_KERNELS({.name = "\(name)", .dot = dot})

        """)
  }

  private func experiment(
    plugins: String = "[mine.c]", kernels: String = "[mine, reference]", reference: String = "none"
  ) throws -> String {
    try folder.write(
      """
      name: small
      plugins: \(plugins)
      model: builtin:tiny-fp
      reference: \(reference)
      base: {quantizer: absmean, activations: int8}
      sweep: {kernel: \(kernels)}
      measure:
        generate: {prompts: [Once], tokens: 4}
        speed: {prompt: 8, tokens: 4, repetitions: 2}
      """, to: "small.yaml")
  }

  private func run(_ words: [String], environment: [String: String] = [:]) throws -> CommandResult {
    try CommandRunner.run(
      ["run"] + words + ["-o", folder.file("out"), "-t", "1"],
      environment: environment.merging(["XDG_CACHE_HOME": cache]) { $1 })
  }

  private func records() throws -> [JSONValue] {
    let parent = folder.file("out/small")
    let names = try FileManager.default.contentsOfDirectory(atPath: parent)
      .filter { !$0.hasPrefix(".") }.sorted()
    let path = parent + "/" + (try #require(names.last)) + "/results.jsonl"
    return try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map {
      try JSONReader.read(String($0))
    }
  }

  @Test func nothingRunsThatNobodyAllowed() throws {
    let path = try experiment()
    let refused = try run([path])
    #expect(refused.status == 64, "\(refused)")
    #expect(refused.err.contains("small.yaml:2:11: plugins[0]: "), "\(refused)")
    #expect(refused.err.contains("--allow-plugins"), "\(refused)")
    #expect(!FileManager.default.fileExists(atPath: folder.file("out")))
    #expect(try run([path, "--list"]).status == 64)
    // Allowed for one run, which is not remembered.
    let allowed = try run([path, "--list", "--allow-plugins"])
    #expect(allowed.status == 0 && allowed.out.contains("kernel=mine"), "\(allowed)")
    #expect(try run([path, "--list"]).status == 64)
    // A plug-in of the command line is consent; the same file is not asked about again.
    #expect(try run([path, "--list", "--plugin", folder.file("mine.c")]).status == 0)
  }

  @Test func whatCameWithAModelIsNeverRun() throws {
    let home = folder.file("hub/models--a--b/snapshots/1")
    try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
    try Self.kernel("mine").text.write(toFile: home + "/mine.c", atomically: true, encoding: .utf8)
    let path = try experiment(plugins: "[hub/models--a--b/snapshots/1/mine.c]")
    let refused = try run([path, "--list", "--allow-plugins"])
    #expect(refused.status == 65 && refused.err.contains("came with a model"), "\(refused)")
    let named = try run([try experiment(plugins: "[\"hf:a/b\"]"), "--list", "--allow-plugins"])
    #expect(named.status == 65 && named.err.contains("from a file of yours"), "\(named)")
  }

  @Test func aKernelThatChangedIsMeasuredAgainAndNothingElse() throws {
    let path = try experiment()
    let first = try run([path, "--allow-plugins"])
    #expect(first.status == 0, "\(first)")
    let second = try run([path, "--allow-plugins"])
    #expect(second.err.contains("mine: known from") && second.err.contains("reference: known from"))
    try folder.write(Self.kernel("mine").text + "// changed\n", to: "mine.c")
    let third = try run([path, "--allow-plugins"])
    #expect(third.status == 0 && third.err.contains("mine: finished"), "\(third)")
    #expect(third.err.contains("reference: known from"), "\(third)")
  }

  @Test func aCrashAndAHangFailTheirVariantAndTheOthersGoOn() throws {
    try Self.kernel("crasher", variable: "TEST_CRASH", then: "*(volatile int *)8 = 1;")
      .write(to: folder, "crash.c")
    try Self.kernel("hanger", variable: "TEST_HANG", then: "for (;;) calls = 9999;")
      .write(to: folder, "hang.c")
    let path = try experiment(
      plugins: "[mine.c, crash.c, hang.c]", kernels: "[mine, crasher, hanger, reference]")
    // The laws pass, and their verdict is remembered.
    #expect(try run([path, "--list", "--allow-plugins"]).status == 0)
    let result = try run(
      [path, "--allow-plugins", "--plugin-timeout", "8"],
      environment: ["TEST_CRASH": "1", "TEST_HANG": "1"])
    #expect(result.status == 1, "\(result)")
    #expect(result.out.contains("\nresults: "), "\(result)")
    let records = try records()
    let status = Dictionary(
      uniqueKeysWithValues: records.map {
        ($0["label"]?.string ?? "", $0["status"]?.string ?? "")
      })
    #expect(
      status == [
        "mine": "finished", "crasher": "failed", "hanger": "failed", "reference": "finished",
      ])
    let errors = records.compactMap { $0["error"]?.string }.joined(separator: "\n")
    #expect(errors.contains("crash.c:6") && errors.contains("SIGSEGV"), "\(errors)")
    #expect(errors.contains("hang.c:6") && errors.contains("hangs"), "\(errors)")
    // A failed record is never taken over: without the fault all is measured.
    let again = try run([path, "--allow-plugins"])
    #expect(again.status == 0 && again.err.contains("crasher: finished"), "\(again)")
    #expect(again.err.contains("mine: known from"), "\(again)")
  }

  @Test func aCrashInTheReferenceEndsTheRun() throws {
    try Self.kernel("crasher", variable: "TEST_CRASH", then: "*(volatile int *)8 = 1;")
      .write(to: folder, "crash.c")
    let path = try experiment(
      plugins: "[crash.c]", kernels: "[reference]",
      reference: "{quantizer: absmean, activations: int8, kernel: crasher}")
    // The laws pass, and their verdict is remembered.
    #expect(try run([path, "--list", "--allow-plugins"]).status == 0)
    let result = try run([path, "--allow-plugins"], environment: ["TEST_CRASH": "1"])
    #expect(result.status == 1, "\(result)")
    #expect(result.err.contains("in the reference"), "\(result)")
    #expect(result.err.contains("crash.c:6"), "\(result)")
  }

  @Test func theRunDirectorySaysWhatWasLoaded() throws {
    let result = try run([try experiment(), "--allow-plugins", "--quiet"])
    let directory = result.out.trimmingCharacters(in: .newlines)
    let file = try String(contentsOfFile: directory + "/experiment.yaml", encoding: .utf8)
    #expect(file.contains(folder.file("mine.c")), "\(file)")
    let environment = try JSONReader.read(
      String(contentsOfFile: directory + "/environment.json", encoding: .utf8))
    guard case .array(let plugins)? = environment["plugins"] else {
      Issue.record("no plug-ins in environment.json")
      return
    }
    #expect(plugins.count == 1 && plugins[0]["digest"]?.string?.count == 64)
  }
}
