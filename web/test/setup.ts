/** Every test has the rules of the models that lie here. */
import photo from "../models/photo.json";
import { type Constants, useConstants } from "../src/constants";

// The types say that the JSON has all of them.
const given: Constants = photo.constants;
useConstants(given);
