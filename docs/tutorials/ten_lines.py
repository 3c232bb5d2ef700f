import fdx

fdx.prepare('bearing_rig/small')  # recordings with known states; here simulated ones
run = fdx.train(fdx.TrainConfig('bearing_rig/small', model='cnn_small', epochs=8), 'runs/mine')
print(fdx.evaluate(run, 'runs/mine/evaluation'))  # and writes report.html
result = fdx.load('runs/mine').diagnose('motor.wav')
print(result.label, result.probabilities)
result.plot().savefig('motor.png')
pump = fdx.zero_shot('pump.wav', speed_rpm=1480, bearing='skf_6205')  # no training: a judge of simulated machines
print(pump.label, pump.reason)
