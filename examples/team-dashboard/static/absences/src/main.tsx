// The entry of the gadget.
import { start } from '../../common/start';
import { App } from './App';
import './styles/form.css';
import './styles/list.css';

start(<App />);
