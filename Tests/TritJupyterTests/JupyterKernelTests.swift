import Testing
import TritJupyter

@Suite struct JupyterKernelTests {}
