import TritCore

#if canImport(Glibc)
  @preconcurrency import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// What OpenBLAS is loaded, which of its cores runs, and how it is told to use a good one.
///
/// The library is opened by the first stage that computes with it, and with one thread: the lab's
/// own workers call it with disjoint rows. Its name is the system's, or a path in
/// `TRITLAB_OPENBLAS`.
///
/// A distribution's OpenBLAS holds kernels for many CPUs and picks one when it is loaded. A CPU
/// that it does not know gets its AVX2 core ("Haswell", "Zen") although it may have AVX-512, at
/// about half the speed. The environment variable `OPENBLAS_CORETYPE` overrides the choice, but
/// only when it is set before; so where a better core is there, it is set and the choice made
/// again, by the two functions with which the library's own constructor and destructor set the
/// table of kernels. Where a build lacks them, the reference is slow, not wrong.
public enum OpenBLASRuntime {
  /// Loads the library and chooses the core, once. Everything that calls OpenBLAS touches this
  /// first; later calls cost nothing. Throws `failure` where the library is not there, lacks a
  /// routine or has no memory.
  public static func start() throws { _ = try state.get() }

  /// The name of the core that runs: `SkylakeX`, `Haswell`, `ARMV8`…; `none` without the library.
  public static var core: String { loaded?.core ?? "none" }

  /// Version and build options as the library reports them.
  public static var configuration: String { loaded?.configuration ?? "none" }

  /// The version, `0.3.21`; `none` without the library.
  public static var version: String {
    guard loaded != nil else { return "none" }
    let words = configuration.split(separator: " ")
    guard let at = words.firstIndex(of: "OpenBLAS"), at + 1 < words.count else { return "unknown" }
    return String(words[at + 1])
  }

  /// Threads inside OpenBLAS: always 1.
  public static var threads: Int { loaded?.threads ?? 0 }

  /// The core that the library had picked by itself when it was loaded.
  public static var coreAtLoad: String { loaded?.coreAtLoad ?? "none" }

  /// One line for records: `OpenBLAS 0.3.21, core SkylakeX (Haswell at load), 1 thread per call`; a
  /// core that the user forced is kept, and shown as such. Without the library, why there is none.
  public static var description: String {
    switch state {
    case .failure(let error): return "none: \(error.what)"
    case .success(let here):
      let change = coreAtLoad == core ? "" : " (\(coreAtLoad) at load)"
      let choice = here.chosenByUser.map { " (OPENBLAS_CORETYPE=\($0))" } ?? ""
      return "OpenBLAS \(version), core \(core)\(change)\(choice), \(threads) thread per call"
    }
  }

  /// The routines. `start` has said before whether there are any.
  static var routines: BLAS {
    switch state {
    case .success(let here): here.routines
    case .failure(let error): fatalError("OpenBLAS is used before it was started: \(error)")
    }
  }

  private struct Loaded: Sendable {
    let routines: BLAS
    let coreAtLoad: String
    let core: String
    let configuration: String
    let threads: Int
    let chosenByUser: String?
  }

  private static var loaded: Loaded? { try? state.get() }

  private static let state: Result<Loaded, LabError> = {
    do {
      return .success(try load())
    } catch let error as LabError {
      return .failure(error)
    } catch {
      return .failure(LabError(.failure, "OpenBLAS cannot be loaded: \(error)"))
    }
  }()

  /// The library's names, the likeliest first.
  private static var candidates: [String] {
    if let path = variable("TRITLAB_OPENBLAS") { return [path] }
    #if canImport(Darwin)
      let name = "libopenblas.dylib"
      return [
        name, "/opt/homebrew/opt/openblas/lib/" + name, "/usr/local/opt/openblas/lib/" + name,
      ]
    #else
      return ["libopenblas.so.0", "libopenblas.so", "libopenblasp.so.0", "libopenblaso.so.0"]
    #endif
  }

  private static func variable(_ name: String) -> String? {
    getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
  }

  /// The work area of one call, and what the library itself takes.
  private static let workArea = 136 << 20
  private static let image = 64 << 20

  private static func load() throws -> Loaded {
    let isLimited = MemoryLimit.limit != nil
    var held: MemoryLimit.Held?
    if isLimited {
      let purpose = "OpenBLAS, which computes in float32"
      let advice = "choose stages that need none: an integer kernel, the head 'exact', no reference"
      try MemoryLimit.require(workArea + image, for: purpose, advice: advice)
      // Other threads allocate while the library is loaded.
      held = try MemoryLimit.hold(workArea, for: purpose, advice: advice)
    }
    let library = try open()
    guard let gemv = dlsym(library, "cblas_sgemv"), let gemm = dlsym(library, "cblas_sgemm") else {
      throw LabError(
        .failure, "the library of OpenBLAS has no cblas_sgemv and cblas_sgemm",
        expected: "a build with the interface CBLAS", advice: installing)
    }
    let chosenByUser = variable("OPENBLAS_CORETYPE")
    let before = text(library, "openblas_get_corename")
    let isOldChoice = ["Haswell", "Zen", "Excavator", "SandyBridge", "Prescott"].contains(before)
    if CPUFeatures.here.contains(.avx512), isOldChoice, chosenByUser == nil {
      chooseAgain(library)
    }
    typealias SetThreads = @convention(c) (Int32) -> Void
    typealias GetThreads = @convention(c) () -> Int32
    if let set = dlsym(library, "openblas_set_num_threads") {
      unsafeBitCast(set, to: SetThreads.self)(1)
    }
    let threads = dlsym(library, "openblas_get_num_threads").map {
      Int(unsafeBitCast($0, to: GetThreads.self)())
    }
    let routines = BLAS(
      gemv: unsafeBitCast(gemv, to: BLAS.Gemv.self), gemm: unsafeBitCast(gemm, to: BLAS.Gemm.self),
      turn: isLimited ? BLAS.Turn() : nil)
    // The first product makes the work area that later ones use again: while there is room for it.
    if let held { warmUp(routines, held) }
    return Loaded(
      routines: routines, coreAtLoad: before, core: text(library, "openblas_get_corename"),
      configuration: text(library, "openblas_get_config"), threads: threads ?? 1,
      chosenByUser: chosenByUser)
  }

  private static let installing =
    "install it, as with: apt-get install libopenblas0 (Fedora openblas, macOS brew install openblas), "
    + "or set TRITLAB_OPENBLAS to the library's path"

  private static func open() throws -> UnsafeMutableRawPointer {
    // Read while the library is loaded: without it, it starts a thread for every core at once.
    let threads = variable("OPENBLAS_NUM_THREADS")
    setenv("OPENBLAS_NUM_THREADS", "1", 1)
    defer {
      if let threads {
        setenv("OPENBLAS_NUM_THREADS", threads, 1)
      } else {
        unsetenv("OPENBLAS_NUM_THREADS")
      }
    }
    var reasons: [String] = []
    for name in candidates {
      if let library = dlopen(name, RTLD_NOW | RTLD_LOCAL) { return library }
      reasons.append(dlerror().map { String(cString: $0) } ?? name)
    }
    throw LabError(
      .failure, "OpenBLAS cannot be loaded", expected: "its library, for float32 products",
      got: reasons.first, advice: installing)
  }

  private static func text(_ library: UnsafeMutableRawPointer, _ name: String) -> String {
    typealias Text = @convention(c) () -> UnsafePointer<CChar>?
    guard let symbol = dlsym(library, name), let text = unsafeBitCast(symbol, to: Text.self)()
    else { return "unknown" }
    return String(cString: text)
  }

  /// Makes the library choose its core again from the environment, where it exports a way.
  private static func chooseAgain(_ library: UnsafeMutableRawPointer) {
    typealias Action = @convention(c) () -> Void
    guard let forget = dlsym(library, "gotoblas_dynamic_quit"),
      let choose = dlsym(library, "gotoblas_dynamic_init")
    else { return }
    setenv("OPENBLAS_CORETYPE", "SkylakeX", 1)
    unsafeBitCast(forget, to: Action.self)()
    unsafeBitCast(choose, to: Action.self)()
    unsetenv("OPENBLAS_CORETYPE")
  }

  /// A small product that goes the way of large ones, in place of what was held for it.
  private static func warmUp(_ routines: BLAS, _ held: MemoryLimit.Held) {
    let size = 256
    let memory = AlignedBuffer<Float>(count: 3 * size * size)
    let count = Int32(size)
    held.giveBack()
    routines.gemm(
      101, 111, 112, count, count, count, 1, memory.base, count, memory.base + size * size, count,
      0, memory.base + 2 * size * size, count)
    withExtendedLifetime(memory) {}
  }
}
