"""Draw the picture of the README: a view, the disparity that was found in it, the cloud from the side.

usage: python examples/picture.py [docs/stereo.jpg]
"""

import sys

import salticid as sal
from salticid.core.draw import side_by_side

pair = sal.simulate_pair(640, 480)
found = sal.StereoMatcher(num_disparities=pair.rig.num_disparities)(pair.left, pair.right)
cloud = found.to_cloud(pair.rig, min_confidence=0.3)
picture = side_by_side([pair.left, found.draw(), cloud.draw()], ["left view", "disparity", "point cloud"])
sal.write_image(sys.argv[1] if len(sys.argv) > 1 else "docs/stereo.jpg", picture, jpeg_quality=90)
