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

  /// What Swift keeps in scope at the top level stays for later cells: also what `guard` binds,
  /// which modules do not export, and imports. What `if` binds ends with it.
  @Test func everyBindingThatStaysInScopeIsSeenByLaterCells() {
    let first = run(
      """
      import Dispatch
      enum Weights { case ternary([Int], scale: Double), dense }
      func weights() -> Weights? { .ternary([1, -1], scale: 0.5) }
      guard let found = weights(), case .ternary(let trits, var scale) = found else { fatalError() }
      guard case let (p, q)? = Optional((3, "four")), p > 2 else { fatalError() }
      let (a, (b, _)) = (1, (2, 3))
      var c = 4, d = 5
      if case .ternary(let inside, _) = found { print(inside) }
      scale *= 2
      #if os(Linux) || os(macOS)
      let e = 6
      #endif
      func sum() -> Int { trits.reduce(0, +) + p }
      """, id: "a")
    #expect(first.failure == nil)
    #expect(
      value("(trits, scale, p, q, a, b, c, d, e, sum())")
        == "([1, -1], 1.0, 3, \"four\", 1, 2, 4, 5, 6, 3)")
    #expect(value("DispatchTime.now().uptimeNanoseconds > 0") == "true")
    #expect(run("inside", id: "c").failure?.kind == .compile)
    // The newest binding of a name counts, whichever way it was bound; a shadowed one is at hand.
    #expect(run("guard let p = Optional(p + 10) else { fatalError() }", id: "d").failure == nil)
    #expect(value("p") == "13")
    #expect(run("let p = 20", id: "e").failure == nil)
    #expect(value("p") == "20")
    #expect(
      run("guard let p = Int(\"30\") else { fatalError() }\np", id: "e").outputs.result == "30")
    #expect(value("p + 1") == "31")
    #expect(run("fatalError()", id: "f").failure?.kind == .crash)
    #expect(value("(p, trits.count)") == "(30, 2)")
  }

  /// A value and a function of one name, and functions that differ in what they take, may stand in
  /// one cell.
  @Test func aNameMayBeDeclaredMoreThanOnceInACell() {
    #expect(
      run(
        "let sum = 3\nfunc sum(of n: Int) -> Int { n }\nfunc f(_ n: Int) -> Int { n }\nfunc f(_ s: String) -> String { s }",
        id: "a"
      ).failure == nil)
    #expect(value("(sum, sum(of: 4), f(1), f(\"a\"))") == "(3, 4, 1, \"a\")")
    #expect(run("func f(_ n: Int) -> Int { 10 * n }", id: "b").failure == nil)
    #expect(value("f(1)") == "10")
  }

  /// What an experiment came to is at hand in the cells after it.
  @Test func outcomesOfExperimentsAreValues() {
    let none = run("try experimentOutcome()", id: "z").failure
    #expect(none?.message.contains("no experiment of this notebook has run") == true)
    let cell = run(
      "name: formats\nmodel: builtin:tiny\nsweep:\n  kernel: [i2_s, tl2]\nmeasure: {weights: {}}\n",
      id: "a", language: .experiment)
    #expect(cell.failure == nil)
    let text =
      "let o = try experimentOutcome(\"formats\")\n(o.labels.count, try o.values(\"model.bits_per_weight\").filter { $0 > 1 }.count == o.labels.count)"
    let counts = value(text, id: "b") ?? ""
    #expect(counts.hasSuffix("true)") && counts != "(0, true)", "\(counts)")
    #expect(value("try experimentOutcome()", id: "c")?.contains("tl2") == true)
    let unknown = run("try o.values(\"model.bits_per_wait\")", id: "d").failure
    #expect(unknown?.message.contains("did you mean 'model.bits_per_weight'") == true)
    let other = run("try experimentOutcome(\"format\")", id: "e").failure
    #expect(other?.message.contains("did you mean 'formats'") == true)
  }

  @Test func modelLeavesAStageToTheCheckpoint() {
    #expect(
      value(
        "try generate(model(\"builtin:tiny\", [\"activations\": \"model\", \"quantizer\": \"model\"]), \"Once\", tokens: 4) == generate(model(\"builtin:tiny\"), \"Once\", tokens: 4)"
      ) == "true")
    let none = run("try model(largeModel)", id: "a").failure
    #expect(none?.message.contains("no model is named here") == true)
    let wrong = run("try model(\"builtin:tiny\", [\"kernel\": \"model\"])", id: "b").failure
    #expect(wrong?.message.contains("unknown kernel 'model'") == true)
  }

  @Test func mapsAndPanelsAreDrawn() {
    let svg = value(
      "let s = try Plot(\"two\").line([1.0, 2], [3.0, 4]).panel(Plot(\"map\").heatMap([[1, -2.5], [.nan, 4]], rows: [\"r\", \"s\"], columns: [\"t\", \"u\"], format: \"%.1f\")).svg().svg\n(s.contains(\"-2.5\"), s.contains(\">map<\"), s.contains(\">s<\"), s.contains(\"<image\"), s.count < 60_000)"
    )
    #expect(
      svg == "(true, true, true, false, true)" || svg?.contains("gnuplot") == true, "\(svg ?? "")")
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
    #expect(engine.inspection(of: "\"absmean\"", at: 3)?.contains("absmean") == true)
    #expect(engine.completeness(of: "let a = 1") == .complete)
    #expect(engine.completeness(of: "func f() {") == .incomplete(indent: "  "))
    #expect(engine.completeness(of: "let = 3)") == .invalid)
  }

  /// What Swift knows: members of the lab's types and of cells' own, by SourceKit-LSP. Where the
  /// toolchain is without it, the lab's names are all there is.
  @Test func membersAreThoseOfTheirTypes() throws {
    run("struct Mine { var width = 3; func widen() {} }\nlet mine = Mine()", id: "a")
    // The first question starts the server; a busy machine may take longer than anybody waits.
    var members: [String] = []
    for _ in 0..<10 where members.isEmpty {
      members = engine.completions(of: "let é = 1\nmine.wid", at: 18).matches
    }
    #expect(members.sorted() == ["widen", "width"])
    let text = "let engine = try model(\"builtin:tiny\")\nengine."
    let found = engine.completions(of: text, at: text.unicodeScalars.count)
    #expect(found.matches.contains("prefill") && found.matches.contains("layers"))
    #expect(found.range == text.unicodeScalars.count..<text.unicodeScalars.count)
    #expect(found.details["prefill"]?.kind == "function")
    #expect(!found.matches.contains { $0.hasPrefix("_") || $0 == "self" })
    // The same place in another text is another question.
    let list = "let engine = [1, 2]\nengine.su"
    #expect(engine.completions(of: list, at: list.unicodeScalars.count).matches.contains("suffix"))
    #expect(
      engine.inspection(of: text + "prefill", at: text.unicodeScalars.count + 2)?.contains(
        "func prefill(") == true)
    #expect(engine.inspection(of: "mine.widen()", at: 7)?.contains("func widen()") == true)
    #expect(engine.inspection(of: "model()", at: 2)?.contains("Engine") == true)
  }

  /// A server that hangs, dies or is not there costs a bounded time and nothing else.
  @Test(arguments: [
    "exec sleep 100", "exit 1", "head -c 100 >/dev/null; echo nonsense; exec cat", "",
  ])
  func aServerThatDoesNotAnswerIsDoneWithout(_ script: String) throws {
    let path = folder.file("server")
    if !script.isEmpty {
      try "#!/bin/sh\n\(script)\n".write(toFile: path, atomically: true, encoding: .utf8)
      chmod(path, 0o755)
    }
    let engine = try CellEngine(
      folder: folder.path, runs: folder.path + "/runs", limits: CellLimits(seconds: 20),
      program: NotebookCase.trit, assistant: path)
    run("let tritsOfMine = 3", id: "a", engine: engine)
    #expect(engine.completions(of: "tritsO", at: 6).matches == ["tritsOfMine"])
    #expect(engine.completions(of: "mine.", at: 5).matches.isEmpty)
    #expect(engine.inspection(of: "race", at: 2)?.contains("times kernels") == true)
    #expect(run("tritsOfMine + 1", id: "b", engine: engine).outputs.result == "4")
    engine.end()
  }

  @Test func cellsOfCAreCompletedByTheirCompiler() {
    run(
      "typedef struct { int left, right; } Pair;\nint twice(int a) { return 2 * a; }", id: "a",
      language: .c)
    func words(_ text: String) -> CellCompletions {
      engine.completions(of: text, in: .c, at: text.unicodeScalars.count)
    }
    #expect(words("int f(void) { return twi").matches == ["twice"])
    #expect(words("int f(void) { return twi").details["twice"]?.signature == "int twice(int a)")
    #expect(Set(words("int f(Pair p) { return p.").matches) == ["left", "right"])
    #expect(words("#include \"trit_kernel.h\"\nTRIT_K").matches.contains("TRIT_KERNELS"))
    #expect(
      words("#include <immintrin.h>\nint f(void) { _mm256_maddubs").matches
        == ["_mm256_maddubs_epi16"] || words("__x86_64").matches.isEmpty)
    #expect(
      engine.inspection(of: "int f(void) { return twice(1); }", in: .c, at: 23)?.contains(
        "int twice(int a)") == true)
  }

  @Test func experimentsAreCompletedByTheirKeysAndNames() {
    func words(_ text: String) -> [String] {
      engine.completions(of: text, in: .experiment, at: text.unicodeScalars.count).matches
    }
    #expect(words("na") == ["name"])
    #expect(words("name: x\nswe") == ["sweep"])
    #expect(words("sweep:\n  ker") == ["kernel"])
    #expect(words("sweep:\n  kernel: [i2_s, tl").contains("tl2"))
    #expect(words("sweep:\n  quantizer:\n    - absmea").contains("absmean"))
    #expect(words("base: {quantizer: twn, acti") == ["activations"])
    #expect(words("base: {activations: in").contains("int8"))
    #expect(words("base:\n  quantizer: absmean:gran") == ["absmean:granularity="])
    #expect(words("base:\n  quantizer: absmean:granularity=r") == ["absmean:granularity=row"])
    #expect(words("measure:\n  perp") == ["perplexity"])
    #expect(words("measure:\n  perplexity: {da") == ["data"])
    #expect(words("measure:\n  speed:\n    repe") == ["repetitions"])
    #expect(words("plots: [quality-") == ["quality-vs-bits"])
    #expect(words("variants:\n  - name: a\n    ker") == ["kernel"])
    #expect(words("model: builtin:tiny-") == ["builtin:tiny-fp"])
    #expect(words("nonsense:\n  a").isEmpty)
    let at = engine.completions(of: "é: 1\nswe", in: .experiment, at: 8)
    #expect(at.range == 5..<8)
    #expect(
      engine.inspection(of: "sweep:\n  design: all", in: .experiment, at: 11) != nil
        && engine.inspection(of: "sweep: {}", in: .experiment, at: 2)?.contains("Axes") == true)
    #expect(engine.inspection(of: "base: {quantizer: absmean}", in: .experiment, at: 20) != nil)
  }
}
