import Foundation
import TritLab

/// One line of a benchmark: what ran, how, and how fast.
///
/// The keys are those of llama-bench, in its order, so that scripts written for it work; ours
/// follow.
struct BenchRow {
  let engine: Engine
  let checkpoint: Checkpoint
  let measurement: SpeedMeasurement
  let run: SpeedRun
  let chunk: Int
  let poll: Int
  let time: Date
  /// What bounds the test on this machine, measured beside it; nil where nothing single does.
  let roof: SpeedRoof?
  /// What the whole model would do, where only its first blocks were run.
  let whole: DepthExtrapolation?

  /// The timings.
  var result: SpeedResult { run.result }

  /// llama-bench's last column, marked where the machine was not this program's.
  var rateText: String {
    result.rateText + (run.disturbance.text == nil ? "" : " (!)")
  }

  /// One line on what disturbed the measurement; nil where nothing did.
  var disturbance: String? {
    run.disturbance.text.map { "\(kernel), \(test), \(engine.threads) threads: \($0)" }
  }

  /// `pp512`, `tg128 @ d256`.
  var test: String {
    measurement.depth > 0 ? "\(result.label) @ d\(measurement.depth)" : result.label
  }

  /// `bitnet 2.41 B i2_s`.
  var model: String {
    "\(checkpoint.configuration.architecture) \(Self.scaled(checkpoint.parameterCount)) "
      + checkpoint.storage
  }

  /// What the linear layers run with.
  var kernel: String { EngineLoader.counted(engine.layers.map(\.kernel)) }

  /// Bytes read a second in pure generation, in units of 10⁹; nil where a prompt is timed, which is
  /// bound by arithmetic, and where kernels skip zeros, so that nobody knows.
  var gigabytesPerSecond: Double? {
    guard measurement.promptTokens == 0, engine.readsAllWeights else { return nil }
    return Double(measurement.bytesPerGeneratedToken(engine)) * result.rate.mean * 1e-9
  }

  /// Bytes that one generated token reads (at most, where kernels skip zeros); nil where a prompt
  /// is timed.
  var bytesPerToken: Int? {
    measurement.promptTokens == 0 ? measurement.bytesPerGeneratedToken(engine) : nil
  }

  /// The share of the roof that was reached: `91 % of 43.1 GB/s`, `88 % of 1042 Gop/s`.
  var share: String {
    guard let roof else { return "" }
    let unit = roof.kind == .reading ? "%.1f GB/s" : "%.0f Gop/s"
    return String(format: "%.0f %% of ", 100 * roof.share(result.rate.mean))
      + String(format: unit, roof.perSecond * 1e-9)
  }

  /// One line about the whole model, clearly no measurement; nil where it was the whole that ran.
  var extrapolation: String? {
    guard let whole else { return nil }
    let speed = String(format: "%.3g", whole.tokensPerSecond)
    return "\(test), \(engine.threads) threads: \(speed) t/s with all \(whole.layers) layers "
      + "(extrapolated from \(whole.measuredLayers)); memory \(Self.size(whole.bytes)) = layers "
      + "\(Self.size(whole.layerBytes)) + head \(Self.size(whole.headBytes)) + KV cache "
      + "\(Self.size(whole.cacheBytes)) for \(whole.positions) positions"
  }

  /// `1.10 GiB`, `512.00 MiB`.
  static func size(_ bytes: Int) -> String {
    let mebi = Double(bytes) / 1_048_576
    return mebi >= 1024
      ? String(format: "%.2f GiB", mebi / 1024) : String(format: "%.2f MiB", mebi)
  }

  /// `2.41 B`, `3.29 M`.
  static func scaled(_ count: Int) -> String {
    count >= 1_000_000_000
      ? String(format: "%.2f B", Double(count) * 1e-9)
      : String(format: "%.2f M", Double(count) * 1e-6)
  }

  /// Key and value of every field.
  var fields: [(key: String, value: JSONValue)] {
    let commit = String((BuildInformation.commit ?? "unknown").prefix(8))
    let cache = engine.selection.cache.description
    let quantizer = engine.selection.quantizer?.description ?? "model"
    let activations = EngineLoader.counted(engine.layers.map(\.activations))
    let measured: [(key: String, value: JSONValue)] = [
      ("n_prompt", JSONValue(measurement.promptTokens)),
      ("n_gen", JSONValue(measurement.generatedTokens)),
      ("n_depth", JSONValue(measurement.depth)),
      ("test_time", .string(time.formatted(.iso8601))),
      ("avg_ns", JSONValue(Int(clamping: SpeedResult.whole(result.time.mean)))),
      ("stddev_ns", JSONValue(Int(clamping: SpeedResult.whole(result.time.standardDeviation)))),
      ("avg_ts", JSONValue(result.rate.mean)),
      ("stddev_ts", JSONValue(result.rate.standardDeviation)),
      ("samples_ns", .array(result.samples.map { JSONValue($0) })),
      ("samples_ts", JSONValue(result.rates)),
    ]
    let ours: [(key: String, value: JSONValue)] = [
      ("kernel", .string(kernel)), ("quantizer", .string(quantizer)),
      ("activations", .string(activations)),
      ("attention", .string(engine.selection.attention.description)),
      ("cache", .string(cache)), ("head", .string(engine.headReport.kernel)),
      ("weight_bytes", JSONValue(engine.weightBytes)),
      ("gbps", gigabytesPerSecond.map { JSONValue($0) } ?? .null),
      (
        engine.readsAllWeights ? "bytes_per_token" : "most_bytes_per_token",
        bytesPerToken.map { JSONValue($0) } ?? .null
      ),
      ("roof", roof.map { .string($0.name) } ?? .null),
      ("roof_per_token", roof.map { JSONValue($0.perToken) } ?? .null),
      ("roof_per_second", roof.map { JSONValue($0.perSecond) } ?? .null),
      ("roof_share", roof.map { JSONValue($0.share(result.rate.mean)) } ?? .null),
      ("median_ts", JSONValue(result.rate.median)),
      ("round_engines", JSONValue(run.engines)),
      ("round_spread", JSONValue(run.disturbance.spread)),
      ("wait_share", JSONValue(run.load.waitShare.map { JSONValue($0) })),
      ("thread_share", JSONValue(run.load.threadShare)),
      ("stolen_share", JSONValue(run.load.stolen.map { JSONValue($0) })),
      ("disturbed", JSONValue(run.disturbance.text.map { JSONValue.string($0) })),
      ("extrapolated_layers", whole.map { JSONValue($0.layers) } ?? .null),
      ("extrapolated_ts", whole.map { JSONValue($0.tokensPerSecond) } ?? .null),
      ("extrapolated_bytes", whole.map { JSONValue($0.bytes) } ?? .null),
      ("blas", .string("OpenBLAS " + OpenBLASRuntime.version)),
      ("blas_core", .string(OpenBLASRuntime.core)),
      ("cpu_features", .string(CPUFeatures.here.names.joined(separator: " "))),
    ]
    return llamaFields(commit: commit, cache: cache) + measured + ours
  }

  /// What llama-bench says before the measurement; what does not exist here has its neutral value.
  private func llamaFields(commit: String, cache: String) -> [(key: String, value: JSONValue)] {
    [
      ("build_commit", .string(commit)), ("build_number", JSONValue(0)),
      ("cpu_info", .string(HostInformation.cpuName)), ("gpu_info", .string("")),
      ("backends", .string("CPU")), ("model_filename", .string(engine.path)),
      ("model_type", .string(model)), ("model_size", JSONValue(checkpoint.byteCount)),
      ("model_n_params", JSONValue(checkpoint.parameterCount)),
      ("n_batch", JSONValue(chunk)), ("n_ubatch", JSONValue(chunk)),
      ("n_threads", JSONValue(engine.threads)), ("cpu_mask", .string("0x0")),
      ("cpu_strict", .bool(false)), ("poll", JSONValue(poll)),
      ("type_k", .string(cache)), ("type_v", .string(cache)),
      ("n_gpu_layers", JSONValue(0)), ("split_mode", .string("none")),
      ("main_gpu", JSONValue(0)), ("no_kv_offload", .bool(true)),
      ("flash_attn", .bool(engine.selection.attention.name != "naive")),
      ("tensor_split", .string("0.00")), ("use_mmap", .bool(true)), ("embeddings", .bool(false)),
    ]
  }
}
