#if canImport(Glibc)
  @preconcurrency import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The routines of OpenBLAS that the lab calls, found when one is first needed.
///
/// The program is not linked to the library: loading it starts its threads and takes address space,
/// in every command and before `main`. So `OpenBLASRuntime` opens it where a stage uses it. The
/// prototypes are those of `cblas.h` with 32-bit `blasint`.
package struct BLAS: Sendable {
  typealias Gemv =
    @convention(c) (
      Int32, Int32, Int32, Int32, Float, UnsafePointer<Float>, Int32, UnsafePointer<Float>, Int32,
      Float, UnsafeMutablePointer<Float>, Int32
    ) -> Void
  typealias Gemm =
    @convention(c) (
      Int32, Int32, Int32, Int32, Int32, Int32, Float, UnsafePointer<Float>, Int32,
      UnsafePointer<Float>, Int32, Float, UnsafeMutablePointer<Float>, Int32
    ) -> Void

  /// Whether an operand is read as it lies or transposed (`CBLAS_TRANSPOSE`).
  package enum Operand: Int32, Sendable {
    /// As it lies.
    case plain = 111
    /// Rows for columns.
    case transposed = 112
  }

  /// A matrix or vector as BLAS takes it: the first element and the elements from row to row.
  package struct Input {
    let base: UnsafePointer<Float>
    let stride: Int
    let operand: Operand

    /// An operand.
    package init(_ base: UnsafePointer<Float>, stride: Int, _ operand: Operand = .plain) {
      self.base = base
      self.stride = stride
      self.operand = operand
    }
  }

  let gemv: Gemv
  let gemm: Gemm
  /// Held around each call where memory is limited; nil elsewhere.
  let turn: Turn?

  private static let rowMajor: Int32 = 101

  /// `y[m] = Σ_k a[m, k] · x[k]`, row-major.
  package static func multiply(
    _ a: Input, rows: Int, columns: Int, by x: UnsafePointer<Float>,
    into y: UnsafeMutablePointer<Float>
  ) {
    let here = OpenBLASRuntime.routines
    here.turn?.take()
    here.gemv(
      rowMajor, a.operand.rawValue, Int32(rows), Int32(columns), 1, a.base, Int32(a.stride), x, 1,
      0, y, 1)
    here.turn?.give()
  }

  /// `y[m, n] = alpha · Σ_k a[m, k] · b[k, n] + beta · y[m, n]`, row-major, each operand as it lies
  /// or transposed.
  package static func multiply(
    _ a: Input, _ b: Input, m: Int, n: Int, k: Int, alpha: Float = 1, beta: Float = 0,
    into y: UnsafeMutablePointer<Float>, stride: Int
  ) {
    let here = OpenBLASRuntime.routines
    here.turn?.take()
    here.gemm(
      rowMajor, a.operand.rawValue, b.operand.rawValue, Int32(m), Int32(n), Int32(k), alpha,
      a.base, Int32(a.stride), b.base, Int32(b.stride), beta, y, Int32(stride))
    here.turn?.give()
  }

  /// One caller at a time. Each concurrent call has a work area of some 128 MiB in the library,
  /// which waits for ever where the system refuses one: under a limit of address space all calls
  /// share the first.
  final class Turn: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)

    init() { pthread_mutex_init(mutex, nil) }

    deinit {
      pthread_mutex_destroy(mutex)
      mutex.deallocate()
    }

    func take() { pthread_mutex_lock(mutex) }

    func give() { pthread_mutex_unlock(mutex) }
  }
}
