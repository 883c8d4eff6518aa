public import TritNotebook

/// A Jupyter kernel: messages of protocol 5.3, cells by an executor.
public struct JupyterKernel {
  let executor: any CellExecutor

  /// A kernel whose cells are run by `executor`.
  public init(executor: any CellExecutor) { self.executor = executor }
}
