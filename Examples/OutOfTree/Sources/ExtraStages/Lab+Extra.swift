import CDot
import TritLab

extension Lab {
  /// What the lab ships, and the stages of this package.
  public static func extra() throws -> Lab {
    var lab = Lab.standard
    let origin = StageOrigin.package("OutOfTree")
    try lab.add(
      .kernel,
      StageDescriptor(
        "dot2", summary: "two bits a trit, by C with AVX2 where the CPU has it",
        source: "Examples/OutOfTree/Sources/CDot/dot.c",
        accepts: "ternary weights (scale per tensor or row), int8 activations",
        gives: "int32 sums", kernel: KernelFacts(), origin: origin)
    ) { _ in DotKernel("dot2", function: extra_dot_here()) }
    try lab.add(
      .quantizer,
      StageDescriptor(
        "kept", summary: "the largest weights become ±1, a share that is given; others 0",
        source: "magnitude pruning (Han et al. 2015, arXiv:1506.02626), with one scale",
        parameters: [
          ParameterDescriptor(
            "share", "of the weights that are kept", .real(0.01...1), default: .real(0.6))
        ], accepts: "finite float32 weights", gives: "ternary weights",
        exactness: .lossy("as many zeros as the share says"), origin: origin)
    ) { KeptQuantizer(share: $0.real("share")) }
    try lab.add(
      .sampler,
      StageDescriptor(
        "gumbel", summary: "the largest of logit plus Gumbel noise: draws by the softmax",
        source: "Gumbel 1954; Maddison et al. 2014, arXiv:1411.0030", accepts: "logits",
        gives: "a token", origin: origin)
    ) { _ in GumbelSampler() }
    try lab.add(measure: EntropyMeasure.self, origin: origin)
    try lab.add(figure: EntropyFigure.self, origin: origin)
    return lab
  }
}
