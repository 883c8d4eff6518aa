import Foundation
import Synchronization
import Testing
import TritDrawing
import TritLab
import TritNotebook
import _TritTestSupport

/// Cells as people write them, run by the program as its own child: state, errors with their lines,
/// crashes, limits.
@Suite(.serialized) struct CellEngineTests {
  /// What a cell gave, as text.
  private final class Outputs: Sendable {
    private let all = Mutex<[CellOutput]>([])
    func add(_ output: CellOutput) { all.withLock { $0.append(output) } }
    var outputs: [CellOutput] { all.withLock { $0 } }
    var printed: String {
      outputs.map { if case .stream(.stdout, let text) = $0 { text } else { "" } }.joined()
    }
    var result: String? {
      outputs.lazy.compactMap { if case .result(let data) = $0 { data.plain } else { nil } }.last
    }
  }

  private let folder: TemporaryFolder
  private let engine: CellEngine

  init() throws {
    folder = try TemporaryFolder("cells")
    engine = try Self.engine(CellLimits(seconds: 20), folder.path)
  }

  private static func engine(_ limits: CellLimits, _ folder: String) throws -> CellEngine {
    try CellEngine(
      folder: folder, runs: folder + "/runs", limits: limits,
      program: NotebookCase.trit)
  }

  @discardableResult private func run(
    _ text: String, id: String = "c01", language: CellLanguage = .swift, line: Int = 10,
    engine other: CellEngine? = nil
  ) -> (failure: CellFailure?, outputs: Outputs) {
    let outputs = Outputs()
    let cell = NotebookCell(id: id, language: language, text: text, line: line)
    let failure = (other ?? engine).run(cell, file: "n.md") { outputs.add($0) }
    return (failure, outputs)
  }

  private func value(_ text: String, id: String = "value") -> String? {
    let (failure, outputs) = run(text, id: id)
    return failure.map { "\($0)" } ?? outputs.result
  }

  @Test func stateIsKeptAndTheLastDeclarationOfANameCounts() {
    #expect(
      run(
        "var x = 41\nlet name = \"one\"\nstruct P { var a = 1 }\nfunc f(_ n: Int) -> Int { n }",
        id: "a"
      ).failure == nil)
    #expect(value("x + 1") == "42")
    #expect(
      run(
        "x += 1\nlet name = \"two\"\nstruct P { var b = 5 }\nfunc f(_ n: Int) -> Int { n * 20 }",
        id: "b"
      ).failure == nil)
    #expect(value("(x, name, P().b, f(3))") == "(42, \"two\", 5, 60)")
    // Run again, a cell replaces what it had declared.
    #expect(run("let name = \"three\"", id: "b").failure == nil)
    #expect(value("name") == "three")
    #expect(value("P().a") == "1")
  }

  @Test func aCellThatFailedDefinesNothing() {
    let (failure, outputs) = run(
      "print(\"before\")\nenum E: Error { case bad }\nfunc f() throws -> Int { throw E.bad }\nlet v = try f()\nprint(\"never\")",
      id: "a")
    #expect(failure?.kind == .thrown)
    #expect(failure?.place == "n.md:12")
    #expect(failure?.message.contains("bad") == true)
    #expect(outputs.printed == "before\n")
    #expect(run("v", id: "b").failure?.kind == .compile)
  }

  @Test func errorsHaveTheLinesOfTheNotebook() {
    let compile = run("let a = 1\nlet y: Int = \"text\"").failure
    #expect(compile?.kind == .compile)
    #expect(compile?.place == "n.md:11:14")
    #expect(run("let a = [1, 2").failure?.place?.hasPrefix("n.md:10:") == true)
    let lab = run("let q = 3\n\ntry lab.make(.quantizer, StageChoice(\"twnn\"))").failure
    #expect(lab?.place == "n.md:12")
    #expect(lab?.message.contains("did you mean 'twn'") == true)
    let c = run("int f(int a) {\n  return a + b;\n}", language: .c).failure
    #expect(c?.place == "n.md:11:14")
  }

  @Test func whatIsNotWantedIsNotShown() {
    #expect(run("1 + 1;").outputs.result == nil)
    #expect(run("var a = 1\na = 2").outputs.result == nil)
    #expect(run("print(1)").outputs.result == nil)
    #expect(run("3 // a comment").outputs.result == "3")
    #expect(run("[1, 2]\n  .map { $0 * 2 }\n// end\n").outputs.result == "[2, 4]")
  }

  @Test func atTheTopLevelNothingCanBeAwaited() {
    for text in ["let a = 1\nlet b = await f()", "for await x in s { }", "try await f()"] {
      let failure = run(text).failure
      #expect(failure?.kind == .compile)
      #expect(failure?.message.contains("cannot await at its top level") == true, "\(text)")
    }
    #expect(
      run("let c = { () async -> Int in await g() }\nfunc g() async -> Int { 1 }").failure == nil)
  }

  @Test func crashesAreToldWithTheirLinesAndTheStateComesBack() {
    run("var x = 41", id: "a")
    run("x += 1", id: "b")
    let trap = run(
      "let list = [1, 2]\nfunc pick(_ i: Int) -> Int {\n  list[i]\n}\npick(x)", id: "c"
    ).failure
    #expect(trap?.kind == .crash)
    #expect(trap?.place == "n.md:12")
    #expect(trap?.message.contains("Index out of range") == true)
    #expect(value("x") == "42")
    let said = run("\nfatalError(\"told why\")", id: "c").failure
    #expect(said?.message.contains("told why") == true)
    #expect(said?.place == "n.md:11")
    let exited = run("exit(3)", id: "c").failure
    #expect(exited?.kind == .crash)
    #expect(exited?.message.contains("exit code 3") == true)
    let endless = run(
      "func down(_ n: Int) -> Int { n < 0 ? n : down(n + 1) + 1 }\ndown(x)", id: "c"
    ).failure
    #expect(endless?.kind == .crash)
    #expect(value("x") == "42")
  }

  @Test func cellsOfCAreCalledAndTheirCrashesHaveLines() {
    #expect(
      run(
        "#include <stdint.h>\ntypedef struct { int a, b; } Pair;\nenum { SIZE = 4 };\nstatic int twice(int x) { return 2 * x; }\nint table[2] = {7, 8};\n// { a brace\nint answer(Pair p, const int8_t *w, int n) { int s = twice(p.a) + p.b; for (int i = 0; i < n; i++) s += w[i]; return s + '}' - '}'; }",
        id: "a", language: .c
      ).failure == nil)
    run(
      "let w: [Int8] = [1, 2, 3]\nfunc first() -> Int32 { answer(Pair(a: 1, b: 2), w, 3) }", id: "b"
    )
    #expect(value("(first(), SIZE, table.1)") == "(10, 4, 8)")
    // Another body in another cell: who calls from now on gets the new one, who has called keeps
    // the old.
    run("int answer(int n) { return 1000 + n; }", id: "c", language: .c)
    #expect(value("answer(1)") == "1001")
    run(
      "int wild(int *p, int n) {\n  for (int i = 0; i < n; i++)\n    p[i] = i;\n  return p[0];\n}",
      id: "d", language: .c, line: 20)
    let crash = run(
      "var small = [Int32](repeating: 0, count: 4)\nwild(&small, 50_000_000)", id: "e"
    ).failure
    #expect(crash?.kind == .crash)
    #expect(crash?.place == "n.md:22")
    #expect(value("first()") == "10")
  }

  @Test func directivesAroundFunctionsOfCStayWhole() {
    let text = """
      #if defined(__x86_64__) || defined(__aarch64__)
      static int half(int a) { return a / 2; }
      int known(int a) { return half(a); }
      #else
      int known(int a) { return a; }
      #endif
      #define TWICE(x) (2 * (x))
      """
    #expect(run(text, id: "a", language: .c).failure == nil)
    #expect(value("known(8)") == "4")
  }

  @Test func aKernelOfACellIsProvedAndRuns() {
    let kernel = """
      #include "trit_kernel.h"
      static int32_t dot(const uint8_t *w, const int8_t *q, size_t n) {
        int32_t sum = 0;
        for (size_t k = 0; k < n; k++) sum += ((w[k / 128 * 32 + k % 32] >> (k % 128 / 32 * 2)) & 3) * q[k];
        return sum;
      }
      TRIT_KERNELS({.name = "mine", .dot = dot})
      """
    #expect(run(kernel, id: "a", language: .c).failure == nil)
    #expect(
      value(
        "try race([\"mine\"], shape: WeightShape(3, 200), seconds: 0.01, rounds: 1).rows[0].sumsAreExact ?? false"
      ) == "true")
    let wrong = run(
      kernel.replacing("return sum;", with: "return n > 100 ? sum + 1 : sum;"), id: "a",
      language: .c
    ).failure
    #expect(wrong?.kind == .thrown)
    // What was wrong is not in the lab.
    #expect(
      run("try lab.make(.kernel, StageChoice(\"mine\"))", id: "b").failure?.message.contains(
        "unknown kernel 'mine'") == true)
  }

  @Test func experimentsHavePlacesOfTheNotebookAndStagesOfItsCells() {
    let failure = run(
      "name: bad\nmodel: builtin:tiny\nsweep:\n  kernl: [i2_s]\n", language: .experiment, line: 30
    ).failure
    #expect(failure?.message.contains("n.md:33:3: sweep.kernl") == true)
  }

  @Test func whatIsShownStaysBetweenWhatIsPrinted() {
    let outputs = run(
      "print(\"a\")\ndisplay(\"b\")\nprint(\"c\")\nlet shown = display(\"d\")\nshown.update(\"e\")\nFileHandle.standardError.write(Data(\"f\".utf8))"
    ).outputs.outputs
    let texts = outputs.map { output in
      switch output {
      case .stream(let stream, let text): "\(stream.rawValue):\(text.filter { $0 != "\n" })"
      case .display(let data, _): "display:\(data.plain)"
      case .update(let data, _): "update:\(data.plain)"
      case .result(let data): "result:\(data.plain)"
      case .failure: "failure"
      }
    }
    #expect(texts == ["stdout:a", "display:b", "stdout:c", "display:d", "update:e", "stderr:f"])
  }

  @Test func cellsThatTakeTooMuchAreEnded() throws {
    let limits = CellLimits(seconds: 0.5, memory: 1 << 30, printed: 1000, shown: 1 << 20)
    let engine = try Self.engine(limits, folder.path)
    run("var x = 1", id: "a", engine: engine)
    let polite = run("while true { try Interruption.check() }", id: "b", engine: engine).failure
    #expect(polite?.kind == .timeout)
    let deaf = run(
      "var k = 0\nwhile true {\n  k &+= 1\n  if k < 0 { print(k) }\n}", id: "b", engine: engine
    ).failure
    #expect(deaf?.kind == .timeout)
    #expect(deaf?.place?.hasPrefix("n.md:1") == true)
    let printed = run("for i in 0..<1000 { print(i) }", id: "b", engine: engine).outputs
    #expect(printed.printed.utf8.count <= 1000)
    #expect(
      printed.outputs.contains {
        if case .stream(.stderr, let text) = $0 { text.contains("left out") } else { false }
      })
    let outputs = run("x", id: "c", engine: engine)
    #expect(outputs.outputs.result == "1")
    engine.end()
  }

  @Test func memoryIsBounded() throws {
    let engine = try Self.engine(CellLimits(seconds: 60, memory: 200 << 20), folder.path)
    let failure = run(
      "var all: [[UInt8]] = []\nwhile true {\n  all.append([UInt8](repeating: 1, count: 1 << 22))\n  usleep(2000)\n}",
      engine: engine
    ).failure
    #expect(failure?.name == "OutOfMemory")
    #expect(failure?.message.contains("of 200 MiB") == true)
    engine.end()
  }

  @Test func anInterruptEndsACellAndKeepsTheState() async throws {
    run("var x = 5", id: "a")
    for text in ["while true { try Interruption.check() }", "while true { usleep(1000) }"] {
      let stopper = Thread { [engine] in
        usleep(1_500_000)
        engine.interrupt()
      }
      stopper.start()
      let failure = run(text, id: "b").failure
      #expect(failure?.kind == .interrupted)
      #expect(value("x") == "5")
    }
  }

  @Test func keptValuesAndInlineValuesAreThoseOfTheCells() throws {
    let text = """
      # T

      ```swift
      let bits = log2(3.0)
      keep("bits", bits, within: 0.01)
      keep("bytes", [1, 2, 3])
      ```

      A trit is **1.60**<!--= fixed(bits, 2) --> bits, in **blk.0.a_b**<!--= "blk.1.c_d" -->.
      """
    let path = folder.path + "/t.md"
    try text.write(toFile: path, atomically: true, encoding: .utf8)
    let notebook = try Notebook(path: path)
    let stale = Outputs()
    let executed = NotebookRun(engine: engine).run(notebook) { event in
      if case .stale(let word, let value, _) = event {
        stale.add(.stream(.stdout, "\(word)→\(value)"))
      }
    }
    #expect(executed.cells.allSatisfy { $0.isAsExpected })
    #expect(stale.printed == "1.60→1.58blk.0.a_b→blk.1.c_d")
    #expect(executed.kept.map(\.name) == ["bits", "bytes"])
    guard case .prose(let shown)? = executed.pieces.last else { return #expect(Bool(false)) }
    #expect(shown.contains("**1.58** bits"))
    #expect(try notebook.update(from: executed))
    #expect(
      try String(contentsOfFile: path, encoding: .utf8)
        == text.replacing("1.60", with: "1.58").replacing("blk.0.a_b", with: "blk.1.c_d"))
    let keeping = NotebookKeeping(of: path)
    #expect(try keeping.differences(executed.kept).count == 1)
    try keeping.write(executed.kept)
    #expect(try keeping.differences(executed.kept).isEmpty)
    var moved = executed.kept
    moved[0].numbers = [moved[0].numbers![0] + 0.005]
    #expect(try keeping.differences(moved).isEmpty)
    moved[0].numbers = [moved[0].numbers![0] + 0.02]
    moved[1].numbers = [1, 2, 4]
    #expect(try keeping.differences(moved).count == 2)
  }

  @Test func completionsKnowTheLabAndTheCells() {
    run("let tritsOfMine = 3", id: "a")
    let own = engine.completions(of: "let a = tritsO", at: 14)
    #expect(own.matches == ["tritsOfMine"])
    #expect(own.range == 8..<14)
    #expect(engine.completions(of: "race([\"i2_s/av", at: 14).matches.contains("i2_s/avx2"))
    #expect(engine.inspection(of: "absmean", at: 3)?.contains("absmean") == true)
    #expect(engine.completeness(of: "let a = 1") == .complete)
    #expect(engine.completeness(of: "func f() {") == .incomplete(indent: "  "))
    #expect(engine.completeness(of: "let = 3)") == .invalid)
  }
}
