// ONNX Runtime 1.30 writes usage events to the folder of temporary files and sends them to its makers, unless this is set. To be
// imported before the runtime is, and by what starts workers: a worker's own `process.env` does not reach native code.
process.env['ORT_DISABLE_TELEMETRY'] = '1'
