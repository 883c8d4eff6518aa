import Synchronization
import TritCore
import TritFormats
import TritKernels
import TritQuantization

/// The blocks and the head of an engine: from images where there are some that fit, else prepared,
/// and then kept for the next start.
struct EngineWeights {
  let blocks: [Block]
  let reports: [LayerReport]
  let head: any PreparedHead
  /// The images that it comes from.
  let images: [String]

  /// Loads both with the threads of `pool`. Throws what reading and preparing throw.
  init(resolver: LayerResolver, on pool: WorkerPool, images: WeightImages?) throws {
    let layers = LayerImage(resolver, images)
    let built = try BlockBuilder.build(resolver: resolver, on: pool, image: layers.opened)
    blocks = built.blocks
    reports = built.layers.map(\.report)
    let head = try HeadImage(resolver: resolver, images: images).load(on: pool)
    self.head = head.head
    self.images = [layers.opened?.image.path, head.image].compactMap(\.self)
    if layers.opened?.isComplete != true { try layers.keep(built.layers) }
  }
}

// MARK: Linear layers

/// The image of all linear layers of one engine.
struct LayerImage {
  /// An image that is there.
  final class Opened: Sendable {
    let image: WeightImage
    private let layers: [String: ImageManifest.Layer]
    private let images: WeightImages
    private let failed = Atomic<Bool>(false)

    init(_ image: WeightImage, _ manifest: ImageManifest, _ images: WeightImages) {
      self.image = image
      self.images = images
      layers = Dictionary(manifest.layers.map { ($0.name, $0) }, uniquingKeysWith: { $1 })
    }

    /// Whether all that was asked for was there.
    var isComplete: Bool { !failed.load(ordering: .relaxed) }

    /// The layer called `name`; nil where the image has none that works.
    func layer(_ role: LinearRole, _ layer: Int, _ resolver: LayerResolver) throws -> BuiltLinear? {
      let name = LayerResolver.name(role, layer: layer)
      // Layers of kernels that keep nothing are prepared again each time.
      guard let kept = layers[name] else { return nil }
      let checkpoint = resolver.checkpoint
      let (rows, columns) = role.shape(checkpoint.configuration)
      do {
        guard kept.rows == rows, kept.columns == columns,
          var memory = KeptMemory(image, starts: kept.starts, sizes: kept.sizes),
          let kernel = try resolver.lab[.kernel].make(StageChoice(parsing: kept.kernel))
            as? any KeepingKernel
        else {
          throw LabError(.badData, "layer \(name) is another one")
        }
        let linear = try kernel.restore(rows: rows, columns: columns, from: &memory)
        let choice = try StageChoice(parsing: kept.activations)
        let activations = try resolver.lab[.activations].make(choice)
        return BuiltLinear(
          linear: linear,
          report: LayerReport(
            name: name, rows: rows, columns: columns, form: kept.form, weights: kept.weights,
            granularity: kept.granularity, provenance: kept.provenance, kernel: linear.kernel,
            activations: kept.activations, activationForm: activations.form,
            arithmetic: linear.arithmetic, bytes: linear.weightBytes, skips: linear.skips,
            plainBytes: kept.plainBytes, kernelChoice: kept.kernelChoice,
            isPicked: kept.isPicked, isZero: kept.isZero),
          activations: activations,
          activationChoice: choice,
          innerNorm: checkpoint.isUnconverted(role, layer: layer)
            ? nil : try checkpoint.innerNorm(role, layer: layer),
          rotation: checkpoint.rotation(role, layer: layer))
      } catch let error as LabError where error.kind != .interrupted {
        failed.store(true, ordering: .relaxed)
        images.refuse(image, error.what)
        return nil
      }
    }
  }

  /// The image, where there is one.
  let opened: Opened?
  private let key: ImageKey?
  private let images: WeightImages?
  private let checkpoint: Checkpoint

  init(_ resolver: LayerResolver, _ images: WeightImages?) {
    self.images = images
    checkpoint = resolver.checkpoint
    let selection = resolver.selection
    let kinds = resolver.lab.kinds(in: .layer)
    var choices = kinds.map {
      "\($0.key.rawValue) \(selection.choice($0)?.description ?? StageKey.asTheModelSays)"
    }
    for layer in selection.layers {
      let own = kinds.map { layer.choices[$0.key]?.description ?? "-" }
      choices.append("layers \(layer.pattern): \(own.joined(separator: " "))")
    }
    // An override of the form means `auto` where it names no kernel.
    let kernels = [selection.kernel] + selection.layers.map { $0.kernel ?? StageChoice("auto") }
    choices += Self.conditions(of: kernels, resolver.conditions)
    choices += resolver.lab.guests.map {
      "\($0.key.rawValue) \($0.descriptor.name) \($0.descriptor.origin.identity)"
    }
    key = images == nil ? nil : ImageKey(.layers, of: checkpoint, choices: choices)
    // Who asks to measure again gets a new pick, and a new image of it.
    let refreshes = kernels.contains { $0.parameters["refresh"]?.description == "true" }
    guard !refreshes, let images, let key, let found = images.open(key) else {
      opened = nil
      return
    }
    opened = Opened(found.image, found.manifest, images)
  }

  /// What `auto` picks depends on these.
  static func conditions(
    of choices: [StageChoice], _ conditions: AutoKernel.Conditions
  ) -> [String] {
    guard choices.contains(where: { $0.name == "auto" }) else { return [] }
    return ["auto with \(conditions.threads) threads, from memory: \(conditions.fromMemory)"]
  }

  /// The files of the weights with their digests.
  static func files(of checkpoint: Checkpoint) throws -> [ImageManifest.File] {
    guard let source = checkpoint.source as? any MappedSource else { return [] }
    let paths = Set(source.mappedFiles.map { OpenedFiles.normal($0.path) })
    return try checkpoint.files.files().filter { paths.contains($0.path) }
      .map { ImageManifest.File(path: AbsolutePath.of($0.path), digest: $0.digest) }
  }

  /// Writes the image of `layers`.
  func keep(_ layers: [BuiltLinear]) throws {
    guard let images, let key else { return }
    let kept = layers.compactMap { layer -> (BuiltLinear, [any RawMemory])? in
      (layer.linear as? any KeptLinear)?.keptMemory.map { (layer, $0) }
    }
    let memory = kept.flatMap(\.1)
    let sizes = memory.map { $0.rawBuffer.count }
    guard images.isWorth(sizes) else { return }
    let starts = WeightImage.layout(sizes).starts
    var manifest = ImageManifest(
      model: AbsolutePath.of(checkpoint.path),
      content: "layers " + Set(kept.map(\.0.report.kernel)).sorted().joined(separator: ", "),
      files: try Self.files(of: checkpoint))
    var next = 0
    for (layer, own) in kept {
      let range = next..<next + own.count
      next = range.upperBound
      let report = layer.report
      manifest.layers.append(
        ImageManifest.Layer(
          name: report.name, kernel: report.kernel, rows: report.rows, columns: report.columns,
          form: report.form, weights: report.weights, granularity: report.granularity,
          provenance: report.provenance, activations: report.activations,
          plainBytes: report.plainBytes, kernelChoice: report.kernelChoice,
          isPicked: report.isPicked,
          isZero: report.isZero,
          starts: Array(starts[range]), sizes: Array(sizes[range])))
    }
    try images.keep(key, manifest, memory)
  }

  /// The image of the head of the same model.
  fileprivate static func manifest(
    _ head: any KeptHead, _ checkpoint: Checkpoint
  ) throws -> ImageManifest {
    let sizes = head.keptMemory.map { $0.rawBuffer.count }
    return ImageManifest(
      model: AbsolutePath.of(checkpoint.path), content: "head \(head.kernel)",
      files: try files(of: checkpoint),
      head: ImageManifest.Head(
        form: head.keptForm, rows: head.rows, columns: head.columns,
        starts: WeightImage.layout(sizes).starts, sizes: sizes))
  }
}

// MARK: The head

/// The image of the output head of one engine.
private struct HeadImage {
  let resolver: LayerResolver
  let images: WeightImages?

  /// The head from its image, or prepared and kept.
  func load(on pool: WorkerPool) throws -> (head: any PreparedHead, image: String?) {
    let checkpoint = resolver.checkpoint
    let choice = resolver.selection.head
    var rows = try checkpoint.headRows()
    rows.isReadFromMemory = resolver.conditions.fromMemory
    let key =
      images == nil
      ? nil
      : ImageKey(
        .head, of: checkpoint,
        choices: ["head \(choice)"] + LayerImage.conditions(of: [choice], resolver.conditions))
    let head = try resolver.lab[.head].make(choice)
    if let images, let key, let found = images.open(key), let kept = found.manifest.head,
      kept.rows == rows.rows, kept.columns == rows.columns
    {
      if var memory = KeptMemory(found.image, starts: kept.starts, sizes: kept.sizes) {
        do {
          return (try kept.form.restore(rows, from: &memory), found.image.path)
        } catch let error as LabError {
          images.refuse(found.image, error.what)
        }
      }
    }
    let prepared = try head.prepare(rows, on: pool)
    if let images, let key, let kept = prepared as? any KeptHead {
      let memory = kept.keptMemory
      if images.isWorth(memory.map { $0.rawBuffer.count }) {
        try images.keep(key, try LayerImage.manifest(kept, checkpoint), memory)
      }
    }
    return (prepared, nil)
  }
}
