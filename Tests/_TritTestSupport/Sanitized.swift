import Foundation

/// Whether the tests run under a sanitizer (`make test-sanitize` sets its options): it takes
/// terabytes of address space for itself, so that limits of it cannot be tested.
public let isSanitized = ["ASAN_OPTIONS", "TSAN_OPTIONS"].contains {
  ProcessInfo.processInfo.environment[$0] != nil
}
