import Synchronization
import TritCore
import TritKernels

#if canImport(Glibc)
  @preconcurrency import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Kernels that cheat, each in one way that was seen in arenas elsewhere, by name.
enum Cheats {
  static let all: [String: @Sendable () -> any LinearKernel] = [
    "honest": { CheatKernel("honest") { $0.multiply($1, rows: $2, into: $3) } },
    "replay": { replay("replay") { _, _ in true } },
    // Honest but for the shape that it expects in the race.
    "replay-in-race": { replay("replay-in-race") { rows, columns in rows == raceRows } },
    "pointer": { cache("pointer") { x, rows in "\(x.values.base) \(x.rows) \(rows)" } },
    "shape": { cache("shape") { x, rows in "\(x.columns) \(x.rows) \(rows)" } },
    "pass-through": { passThrough },
    "old-weights": { OldWeights() },
    "threads": { ownThreads },
    "kept-thread": { keptThread },
    "clock": { warpedClock },
    "blas": { Borrowing(name: "blas", other: OpenBLASKernel()) },
    "wrapper": { Borrowing(name: "wrapper", other: ReferenceKernel()) },
    "few-shapes": { fewShapes },
    "known-shapes": { knownShapes },
    "behind": { beside("behind") { layer, x in x.rows * layer.rows } },
    "in-front": { beside("in-front") { _, _ in -1 } },
    "other-rows": { otherRows },
    "inputs": { changedInputs },
    "stale-scratch": { staleScratch },
    "stale-outputs": { staleOutputs },
    "too-few-bytes": { claims("too-few-bytes") { max(1, $0.rows * $0.columns / 8) } },
    "too-many-bytes": { claims("too-many-bytes") { $0.rows * $0.columns * 4 } },
    "lazy-layout": { slowLayout },
    "crash": { crash },
    "hang": { hang },
    "exit": { CheatKernel("exit") { _, _, _, _ in Self.leave() } },
    "half": { half },
  ]

  /// Rows of the layer that tests race.
  static let raceRows = 320

  private static func leave() { exit(0) }

  // MARK: Replaying

  /// What was given last, for every kernel of the process.
  private static let last = Mutex<[Float]>([])

  private static func replay(
    _ name: String, where isCheating: @escaping @Sendable (Int, Int) -> Bool
  ) -> any LinearKernel {
    CheatKernel(name) { layer, x, range, y in
      let old = last.withLock { $0 }
      if isCheating(layer.rows, layer.columns), !old.isEmpty {
        for token in 0..<x.rows {
          for row in range {
            y.base[token * y.stride + row] = old[(token * layer.rows + row) % old.count]
          }
        }
        return
      }
      layer.multiply(x, rows: range, into: y)
      guard range.count == layer.rows, y.stride == layer.rows else { return }
      last.withLock {
        $0 = Array(UnsafeBufferPointer(start: y.base, count: x.rows * layer.rows))
      }
    }
  }

  private static let cached = Mutex<[String: [Float]]>([:])

  private static func cache(
    _ name: String, _ key: @escaping @Sendable (QuantizedRows, Int) -> String
  ) -> any LinearKernel {
    CheatKernel(name) { layer, x, range, y in
      let key = name + key(x, layer.rows)
      if range.count == layer.rows, y.stride == layer.rows,
        let old = cached.withLock({ $0[key] })
      {
        for (index, value) in old.enumerated() { y.base[index] = value }
        return
      }
      layer.multiply(x, rows: range, into: y)
      guard range.count == layer.rows, y.stride == layer.rows else { return }
      let now = Array(UnsafeBufferPointer(start: y.base, count: x.rows * layer.rows))
      cached.withLock { $0[key] = now }
    }
  }

  private static let passThrough: any LinearKernel = CheatKernel("pass-through") {
    layer, x, range, y in
    for token in 0..<x.rows {
      for row in range {
        y.base[token * y.stride + row] = Float(x.row(token)[row % layer.columns])
      }
    }
  }

  /// Keeps the first layer of each shape.
  private struct OldWeights: LinearKernel {
    let name = "old-weights"
    let accepts = ActivationForm.int8
    private static let kept = Mutex<[String: CheatLayer]>([:])

    func prepare(_ weights: QuantizedWeights) throws -> any PreparedLinear {
      let plain = try PlainLayer(weights, for: name)
      return Self.kept.withLock { kept in
        let key = "\(plain.rows) \(plain.columns)"
        if let old = kept[key] { return old }
        let layer = CheatLayer(kernel: "old-weights", plain: plain) {
          $0.multiply($1, rows: $2, into: $3)
        }
        kept[key] = layer
        return layer
      }
    }
  }

  // MARK: Threads and clocks

  /// Computes on a thread that it starts and waits for.
  private static let ownThreads: any LinearKernel = CheatKernel("threads") { layer, x, range, y in
    onThread { layer.multiply(x, rows: range, into: y) }
  }

  private final class Work {
    let body: () -> Void
    init(_ body: @escaping () -> Void) { self.body = body }
  }

  private static func onThread(_ body: () -> Void) {
    withoutActuallyEscaping(body) { body in
      let work = Unmanaged.passRetained(Work(body))
      #if canImport(Glibc)
        var handle = pthread_t()
      #else
        var handle: pthread_t?
      #endif
      pthread_create(
        &handle, nil,
        { raw -> UnsafeMutableRawPointer? in
          let raw: UnsafeMutableRawPointer? = raw
          if let raw { Unmanaged<Work>.fromOpaque(raw).takeUnretainedValue().body() }
          return nil
        }, work.toOpaque())
      #if canImport(Glibc)
        pthread_join(handle, nil)
      #else
        if let handle { pthread_join(handle, nil) }
      #endif
      work.release()
    }
  }

  private static let helper = Mutex<WorkerPool?>(nil)

  /// Has a team of its own, which it keeps.
  private static let keptThread: any LinearKernel = CheatKernel("kept-thread") {
    layer, x, range, y in
    helper.withLock { pool in
      let team = pool ?? WorkerPool(threads: 2, poll: 0)
      pool = team
      team.run(count: range.count) { part, _ in
        let rows = (range.lowerBound + part.lowerBound)..<(range.lowerBound + part.upperBound)
        layer.multiply(x, rows: rows, into: y)
      }
    }
  }

  /// Makes the C library's clock go at half its speed.
  private static let warpedClock: any LinearKernel = CheatKernel("clock") { layer, x, range, y in
    if layer.rows == raceRows { ClockWarp.begin() }
    layer.multiply(x, rows: range, into: y)
  }

  // MARK: Others' work

  /// Gives another kernel's layers as its own.
  private struct Borrowing: LinearKernel {
    let name: String
    let other: any LinearKernel
    var accepts: ActivationForm { other.accepts }

    func prepare(_ weights: QuantizedWeights) throws -> any PreparedLinear {
      Borrowed(kernel: name, other: try other.prepare(weights))
    }
  }

  private struct Borrowed: PreparedLinear {
    let kernel: String
    let other: any PreparedLinear
    var rows: Int { other.rows }
    var columns: Int { other.columns }
    var weightBytes: Int { other.weightBytes }
    var accepts: ActivationForm { other.accepts }
    var arithmetic: ProductArithmetic { other.arithmetic }
    var rowAlignment: Int { other.rowAlignment }
    var inputLayout: (any InputLayout)? { other.inputLayout }
    func multiply(_ x: QuantizedRows, rows range: Range<Int>, into y: MutableMatrixView<Float>) {
      other.multiply(x, rows: range, into: y)
    }
    func accumulate(
      _ x: QuantizedRows, rows range: Range<Int>, into accumulators: MutableMatrixView<Int32>
    ) -> Bool { other.accumulate(x, rows: range, into: accumulators) }
  }

  // MARK: Shapes

  /// Takes one shape, and what everybody knows that the laws ask.
  private static let fewShapes: any LinearKernel = CheatKernel("few-shapes") { layer, name in
    let shape = WeightShape(layer.rows, layer.columns)
    guard layer.rows == raceRows || WeightShape.awkward.contains(shape) else {
      throw LabError(.usage, "kernel 'few-shapes' does not take \(shape)")
    }
    return CheatLayer(kernel: name, plain: layer) { $0.multiply($1, rows: $2, into: $3) }
  }

  /// Takes every shape and multiplies only those that it knows.
  private static let knownShapes: any LinearKernel = CheatKernel("known-shapes") {
    layer, x, range, y in
    let shape = WeightShape(layer.rows, layer.columns)
    let isKnown =
      layer.rows == raceRows || WeightShape.awkward.contains(shape) || shape.rows == 192
    if isKnown { return layer.multiply(x, rows: range, into: y) }
    for token in 0..<x.rows {
      for row in range { y.base[token * y.stride + row] = 0 }
    }
  }

  // MARK: Memory

  /// Writes one output beside its own.
  private static func beside(
    _ name: String, _ index: @escaping @Sendable (PlainLayer, QuantizedRows) -> Int
  ) -> any LinearKernel {
    CheatKernel(name) { layer, x, range, y in
      layer.multiply(x, rows: range, into: y)
      y.base[index(layer, x)] = 1
    }
  }

  /// Asked for some rows, writes all.
  private static let otherRows: any LinearKernel = CheatKernel("other-rows") { layer, x, _, y in
    layer.multiply(x, rows: 0..<layer.rows, into: y)
  }

  private static let changedInputs: any LinearKernel = CheatKernel("inputs") { layer, x, range, y in
    layer.multiply(x, rows: range, into: y)
    x.row(0)[0] = 0
  }

  /// Writes its scratch the first time only.
  private struct OnceLayout: InputLayout {
    let id = "arena cheat: once"
    private static let written = Mutex<Set<Int>>([])
    func byteCount(rows: Int, columns: Int) -> Int { rows * columns }
    func parts(rows: Int, columns: Int) -> Int { 1 }
    func build(
      _ range: Range<Int>, from input: QuantizedRows, into output: UnsafeMutableRawPointer
    ) {
      let isNew = Self.written.withLock { $0.insert(input.rows * input.columns).inserted }
      guard isNew else { return }
      for token in 0..<input.rows {
        (output + token * input.columns).copyMemory(
          from: input.row(token), byteCount: input.columns)
      }
    }
  }

  private static let staleScratch: any LinearKernel = CheatKernel("stale-scratch") { layer, name in
    CheatLayer(
      kernel: name, plain: layer,
      change: { layer, x, range, y in
        let copy = x.built(OnceLayout()).assumingMemoryBound(to: Int8.self)
        for token in 0..<x.rows {
          for row in range {
            var sum: Int32 = 0
            for column in 0..<layer.columns {
              sum &+=
                Int32(layer.trits.base[row * layer.columns + column])
                &* Int32(copy[token * layer.columns + column])
            }
            y.base[token * y.stride + row] = Float(sum) * (x.scales[token] * layer.scale)
          }
        }
      }, layout: OnceLayout())
  }

  /// Adds to what the outputs held.
  private static let staleOutputs: any LinearKernel = CheatKernel("stale-outputs") {
    layer, x, range, y in
    for token in 0..<x.rows {
      for row in range {
        let place = token * y.stride + row
        let old = y.base[place].isNaN ? 0 : y.base[place]
        y.base[place] = old + Float(layer.sum(x, token, row)) * (x.scales[token] * layer.scale)
      }
    }
  }

  /// Leaves every second output out.
  private static let half: any LinearKernel = CheatKernel("half") { layer, x, range, y in
    for row in range where row % 2 == 0 {
      layer.multiply(x, rows: row..<(row + 1), into: y)
    }
  }

  // MARK: Claims

  private static func claims(_ name: String, _ bytes: @escaping @Sendable (PlainLayer) -> Int)
    -> any LinearKernel
  {
    CheatKernel(name) { layer, name in
      CheatLayer(
        kernel: name, plain: layer, change: { $0.multiply($1, rows: $2, into: $3) },
        claimed: bytes(layer))
    }
  }

  /// Works while the input layout is built: honest, if that is timed.
  private struct SlowLayout: InputLayout {
    let id = "arena cheat: slow"
    func byteCount(rows: Int, columns: Int) -> Int { 64 }
    func parts(rows: Int, columns: Int) -> Int { 1 }
    func build(
      _ range: Range<Int>, from input: QuantizedRows, into output: UnsafeMutableRawPointer
    ) { if input.columns == 640 { usleep(3_000) } }
  }

  private static let slowLayout: any LinearKernel = CheatKernel("lazy-layout") { layer, name in
    CheatLayer(
      kernel: name, plain: layer, change: { $0.multiply($1, rows: $2, into: $3) },
      layout: SlowLayout())
  }

  // MARK: Ends

  private static let crash: any LinearKernel = CheatKernel("crash") { layer, x, range, y in
    let values = Array(UnsafeBufferPointer(start: layer.trits.base, count: 3))
    y.base[0] = Float(values[values.count + x.rows])
  }

  private static let hang: any LinearKernel = CheatKernel("hang") { _, _, _, _ in
    while true { usleep(10_000) }
  }
}
