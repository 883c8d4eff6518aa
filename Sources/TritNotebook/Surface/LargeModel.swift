import Foundation

/// The model that cells marked `large` run with, which is not built in: what `--large` or
/// TRITLAB_LARGE_MODEL names; empty where neither does, and such cells are skipped.
public let largeModel = ProcessInfo.processInfo.environment["TRITLAB_LARGE_MODEL"] ?? ""
